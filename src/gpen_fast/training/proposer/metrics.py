"""The held-out test of the proposer: how many faces it proposes, and how many windows it proposes for that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpen_fast.stages.detect.cascade.proposals import marked_windows
from gpen_fast.stages.detect.cascade.proposer_net import LEAST_WINDOW, ProposerNet
from gpen_fast.training.proposer.canvases import CanvasSamples, PlacedFace

# Degrees up to which faces count, one row of the table each.
TURNS = (20, 45)
# A proposal is a face's if its middle is off by less than this part of the side, and its side by less than this factor:
# so far off, the landmark network still finds the face.
_NEAR, _ALIKE = 0.25, 1.4
# Pictures of the test.
_PICTURES = 400


@dataclass(frozen=True)
class ProposalRow:
    """One line of the test's table."""

    turn: int
    """Faces are turned by at most so many degrees, either way."""

    proposed: float
    """Part of the faces that have a proposal."""

    windows: float
    """Proposals in a picture, on average."""


def proposal_rows(network: ProposerNet, samples: CanvasSamples) -> list[ProposalRow]:
    """Tests a network on made-up pictures of held-out faces.

    Args:
        network: The network in its published form.
        samples: Pictures of the held-out faces.

    Returns:
        One row for each of TURNS.
    """
    rng = np.random.default_rng(0)
    hits: dict[int, list[bool]] = {turn: [] for turn in TURNS}
    windows = 0
    for _ in range(_PICTURES):
        picture, placed = samples.one(rng)
        found = marked_windows(network, picture)
        windows += len(found)
        for face in placed:
            for turn in TURNS:
                if face.side >= LEAST_WINDOW and _turned_by(face) <= turn and _inside(face, picture):
                    hits[turn].append(_has_proposal(face, found))
    mean = windows / _PICTURES
    return [ProposalRow(turn, round(float(np.mean(hits[turn])), 4), round(mean, 2)) for turn in TURNS]


def _turned_by(face: PlacedFace) -> float:
    return math.degrees(math.acos(max(-1.0, min(1.0, math.cos(face.turn)))))


def _inside(face: PlacedFace, picture: NDArray[np.uint8]) -> bool:
    """Whether the picture shows the face's inner half."""
    margin = face.side / 4
    return all(
        margin <= at <= side - margin for at, side in zip(face.middle, picture.shape[::-1], strict=True)
    )


def _has_proposal(face: PlacedFace, found: NDArray[np.float64]) -> bool:
    sides = np.hypot(found[:, 3], found[:, 4]) / face.side
    near = np.hypot(*(found[:, 1:3] - face.middle).T) < _NEAR * face.side
    return bool((near & (sides < _ALIKE) & (sides > 1 / _ALIKE)).any())
