"""Made-up pictures: batches depend on their number alone, and targets say where the windows lie."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from portraits import small_proposer_config

from gpen_fast.training.proposer.canvases import (
    CanvasSamples,
    PlacedFace,
    proposal_target,
    read_canvas_sources,
)
from gpen_fast.training.proposer.config import ProposerConfig

CONFIG = ProposerConfig(steps=1)


def test_a_batch_depends_on_its_number_alone(portraits: Path) -> None:
    config = small_proposer_config()
    made = CanvasSamples(read_canvas_sources(portraits, "train", config.crop), config, 6)
    batch = made.at(5)
    made.at(6)
    again = made.at(5)
    assert torch.equal(batch.pictures, again.pictures)
    assert torch.equal(batch.wanted, again.wanted)
    assert not torch.equal(batch.pictures, made.at(6).pictures)
    assert not torch.equal(batch.pictures, made.at(5, rank=1).pictures)
    assert batch.pictures.shape == (6, 1, 64, 64)
    assert batch.wanted.shape == (6, 4, 8, 8)
    assert set(batch.label.unique().tolist()) == {-1.0, 0.0, 1.0}


def test_the_target_says_where_the_window_is() -> None:
    face = PlacedFace((66.0, 61.0), 30.0, math.radians(20))
    target = proposal_target(CONFIG, [face])
    places = [[7, 8], [8, 8]]
    assert np.argwhere(target[0] == 1).tolist() == places, "rows and columns of the pixels near (66,61)"
    assert np.allclose(target[1:3, 8, 8] * 16, (2, -3))
    assert np.allclose(target[3:, 8, 8] * 28, (30 * math.cos(face.turn), 30 * math.sin(face.turn)))
    assert (target[1:, 0, 0] == 0).all()
    assert target[0, 8, 9] == -1, "the face's border counts neither way"
    assert target[0, 8, 12] == 0


@pytest.mark.parametrize(
    ("side", "degrees", "label"),
    [
        (30, 0, 1),
        (30, 50, 1),
        (30, -50, 1),
        (30, 90, 0),
        (30, 180, 0),
        (17, 0, -1),
        (46, 0, -1),
        (15, 0, 0),
        (52, 0, 0),
    ],
)
def test_faces_of_other_sizes_and_turns_are_no_proposals(side: float, degrees: float, label: float) -> None:
    target = proposal_target(CONFIG, [PlacedFace((64.0, 64.0), side, math.radians(degrees))])
    assert target[0, 8, 8] == label


def test_a_small_face_between_two_places_is_proposed_by_the_nearest() -> None:
    target = proposal_target(CONFIG, [PlacedFace((68.0, 67.9), 20.0, 0.0)])
    assert np.argwhere(target[0] == 1).tolist() == [[8, 8], [8, 9]]
