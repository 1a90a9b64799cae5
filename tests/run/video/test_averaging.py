"""The faces of a frame averaged with those before: what is handed on, and what is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from faces_in_motion import POINTS, face_of, portrait
from faces_in_motion import frame_of as frame_with

from gpen_fast.run.job import Loaded, PictureSource, Restored
from gpen_fast.run.video import averaging
from gpen_fast.run.video.averaging import averaged_faces
from gpen_fast.settings import PasteOptions
from gpen_fast.types import FaceBatch
from gpen_fast.video.track import TrackedFace

SIDE = 64
MATRIX = np.array([[[0.3, 0, -20], [0, 0.3, -20]]])


def restored(seed: int) -> Restored:
    """A frame of one face whose crop and restoration have noise of their own."""
    draw = np.random.default_rng(seed)
    noise = [np.clip(draw.normal(120, 9, (3, SIDE, SIDE)), 0, 255).astype(np.uint8) for _ in range(2)]
    crop, made = map(torch.from_numpy, noise)
    loaded = Loaded(PictureSource(seed, Path("a.mp4")), frame_with(portrait()))
    return Restored(loaded, (face_of(POINTS),), FaceBatch(crop[None], MATRIX), (made,))


FACE = (TrackedFace(7, face_of(POINTS), POINTS),)


def test_what_a_frame_leaves_is_what_the_next_is_averaged_with() -> None:
    options = PasteOptions(keep_detail=0.0)
    first, left = averaged_faces(restored(0), FACE, {}, 0.6, options)
    assert list(left) == [7]
    second, _ = averaged_faces(restored(1), FACE, left, 0.6, options)
    alone = restored(1)
    assert second.restored[0].float().std() < 0.85 * alone.restored[0].float().std()
    assert second.crops.pixels.float().std() < 0.85 * alone.crops.pixels.float().std()
    assert np.array_equal(second.crops.matrices, MATRIX)
    assert (first.need, second.need) == (None, None)


def test_a_frame_without_faces_leaves_nothing() -> None:
    picture = restored(0)
    _, left = averaged_faces(picture, FACE, {}, 0.6, PasteOptions(keep_detail=0.0))
    assert averaged_faces(picture, (), left, 0.6, PasteOptions()) == (picture, {})


def test_the_need_is_measured_only_where_it_is_wanted_and_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def measure(frame, crops, made):
        measured.append(len(made))
        return torch.full((1, 5), 0.5)

    monkeypatch.setattr(averaging, "measured_need", measure)
    made, left = averaged_faces(restored(0), FACE, {}, 0.6, PasteOptions())
    assert measured == [1]
    assert left[7].need is not None
    assert made.need is not None
    known, _ = averaged_faces(restored(1), FACE, left, 0.6, PasteOptions(), [torch.full((5,), 1.0)])
    assert measured == [1]
    assert torch.allclose(known.need, torch.full((1, 5), 0.5 * 0.6 + 1.0 * 0.4))
