"""Clips at everyday speeds in which faces cross, leave, enter and are cut to: whose face is where is known.

A person walks by within three seconds, a few pixels a frame; the camera follows or stands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from clips import ASTRONAUT, HOPPER, Clip, ClipFrame, moving
from numpy.typing import NDArray

from gpen_fast.image.similarity import similarities
from gpen_fast.video.matching import apart

PERSONS = (HOPPER.name, ASTRONAUT.name)
# A found face is the person's whose landmarks it is within so many eye distances of; of a person of whom less is seen
# than this, nothing is expected.
_HIS, SEEN = 0.5, 0.75
# Eyes, nose, mouth, and the outline of a face around them, in eye distances from the middle of the eyes.
_EYES = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.6], [-0.43, 1.05], [0.43, 1.05]])


def _between(start: float, end: float, since: float = 0.0, until: float = 1.0):  # type: ignore[no-untyped-def]
    """A place that goes evenly from `start` to `end` within a part of the clip's time, and rests around it."""
    return lambda at: start + (end - start) * min(1.0, max(0.0, (at - since) / (until - since)))


def _while(since: float, until: float):  # type: ignore[no-untyped-def]
    return lambda at: float(since <= at < until)


SMALL = {"eyes": lambda at: 0.1}
SCENES = {
    "walk past each other": Clip(
        (
            moving(HOPPER, x=_between(0.3, 1.5), y=lambda at: 0.38, **SMALL),
            moving(ASTRONAUT, x=_between(1.5, 0.3), y=lambda at: 0.48, **SMALL),
        )
    ),
    "walk behind": Clip(
        (
            moving(HOPPER, x=_between(0.25, 1.55), **SMALL),
            moving(ASTRONAUT, x=lambda at: 0.9 + 0.02 * math.sin(9 * at), **SMALL),
        )
    ),
    "walk in front": Clip(
        (
            moving(HOPPER, x=lambda at: 0.9, y=lambda at: 0.4 + 0.01 * math.sin(11 * at), **SMALL),
            moving(ASTRONAUT, x=_between(-0.3, 2.1), y=lambda at: 0.44, **SMALL),
        )
    ),
    "there and back": Clip(
        (
            moving(HOPPER, x=lambda at: 0.9 - 0.5 * math.cos(2 * math.pi * at), **SMALL),
            moving(
                ASTRONAUT, x=lambda at: 0.9 + 0.5 * math.cos(2 * math.pi * at), y=lambda at: 0.47, **SMALL
            ),
        )
    ),
    "cut to another in the same place": Clip(
        (
            moving(HOPPER, shown=_while(0, 0.5), x=_between(0.85, 0.95)),
            moving(ASTRONAUT, shown=_while(0.5, 2), x=_between(0.85, 0.95)),
        )
    ),
    "cut there and back": Clip(
        (
            moving(HOPPER, x=lambda at: 0.7, shown=lambda at: float(at < 0.33 or at >= 0.66)),
            moving(ASTRONAUT, x=lambda at: 1.1, shown=_while(0.33, 0.66)),
        )
    ),
    "cut that swaps places": Clip(
        (
            moving(HOPPER, x=lambda at: (0.5 if at < 0.5 else 1.3) + 0.05 * at, **SMALL),
            moving(ASTRONAUT, x=lambda at: (1.3 if at < 0.5 else 0.5) - 0.05 * at, **SMALL),
        )
    ),
    "one leaves, another enters there": Clip(
        (
            moving(HOPPER, x=_between(0.9, 2.2, 0.1, 0.5), shown=_while(0, 0.5)),
            moving(ASTRONAUT, x=_between(2.2, 0.9, 0.55, 0.9), shown=_while(0.55, 2)),
        )
    ),
    "leaves and comes back": Clip(
        (
            moving(HOPPER, x=lambda at: 0.5 - 1.0 * math.sin(math.pi * at), roll=lambda at: 6 * at, **SMALL),
            moving(ASTRONAUT, x=lambda at: 1.2, **SMALL),
        )
    ),
    "camera turns from one to the other": Clip(
        (
            moving(HOPPER, x=_between(0.9, -0.7), eyes=_between(0.12, 0.14)),
            moving(ASTRONAUT, x=_between(2.3, 0.7), eyes=_between(0.12, 0.14)),
        )
    ),
}


def seen_share(frame: ClipFrame, who: str) -> float:
    """How much of a person's face the frame shows: neither covered nor outside."""
    matrix = similarities(_EYES[None], frame.places[who])[0]
    across, down = np.meshgrid(np.linspace(-0.8, 0.8, 17), np.linspace(-0.5, 1.5, 21))
    places = np.stack([across.ravel(), down.ravel()], axis=1) @ matrix[:, :2].T + matrix[:, 2]
    x, y = np.rint(places).astype(int).T
    height, width = frame.owner.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return float((frame.owner[y[inside], x[inside]] == list(frame.places).index(who)).sum() / len(x))


@dataclass
class Identities:
    """What became of the persons of a scene."""

    tracks: dict[str, list[int]] = field(default_factory=dict)
    """Person -> the tracks that were on it, in the order of their appearance."""
    swaps: int = 0
    """Tracks that were on two persons."""
    ghosts: int = 0
    """Faces, counted in each frame, where none is seen."""
    missed: int = 0
    """Persons, counted in each frame, that are seen and were not found."""
    expected: int = 0
    """Persons, counted in each frame, that are seen."""


def identities(
    frames: Sequence[ClipFrame], found: Sequence[Sequence[tuple[int, NDArray[np.float64]]]]
) -> Identities:
    """Compares the tracks of a scene with the truth.

    Args:
        frames: Of the scene.
        found: Of each frame, the tracks' numbers and (5,2) landmarks.
    """
    made = Identities()
    for frame, faces in zip(frames, found, strict=True):
        shares = {who: seen_share(frame, who) for who in frame.places}
        near = {who: [n for n, at in faces if apart(at, frame.places[who]) < _HIS] for who in shares}
        # Where one covers another, a face is of the one who is seen.
        for number, at in faces:
            his = [who for who in shares if shares[who] > 0.25 and apart(at, frame.places[who]) < _HIS]
            his.sort(key=lambda who: (-shares[who] // 0.5, apart(at, frame.places[who])))
            if not his:
                made.ghosts += 1
            elif number not in made.tracks.setdefault(his[0], []):
                made.tracks[his[0]].append(number)
        expected = [who for who, share in shares.items() if share > SEEN - 1e-9]
        made.expected += len(expected)
        made.missed += sum(not near[who] for who in expected)
    numbers = [number for tracks in made.tracks.values() for number in tracks]
    made.swaps = len(numbers) - len(set(numbers))
    return made
