"""`--upright`: a picture is turned where its faces agree, and its result is that of the upright picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import EXAMPLES
from runs import pipeline_of

from gpen_fast.detections.file_format import Found
from gpen_fast.run.job import Loaded, PictureSource
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.upright import quarters_to_upright, turn_upright
from gpen_fast.settings import Settings
from gpen_fast.types import Face, Frame

# Upright, in pixels.
POINTS = np.array([[10, 10], [20, 10], [15, 16], [11, 21], [19, 21.0]])


def turned(degrees: float, *, landmarks: bool = True) -> Face:
    """A face turned clockwise, with landmarks or with its roll alone."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    points = POINTS @ np.array([[c, s], [-s, c]])
    return Face((0.0, 0.0, 9.0, 9.0), 0.9, points if landmarks else None, 0.0 if landmarks else degrees)


@pytest.mark.parametrize("landmarks", [True, False])
def test_the_faces_decide_together(landmarks: bool) -> None:
    wanted = {0: 0, 30: 0, -40: 0, 90: 1, 60: 1, 130: 1, 180: 2, -170: 2, 270: 3, -60: 3}
    for degrees, quarters in wanted.items():
        assert quarters_to_upright([turned(degrees, landmarks=landmarks)]) == quarters, degrees
    assert quarters_to_upright([turned(80), turned(100), turned(60)]) == 1
    assert quarters_to_upright([turned(90), turned(0)]) == 0
    assert quarters_to_upright([]) == 0


def test_picture_and_faces_are_turned_and_the_user_is_told() -> None:
    pixels = torch.arange(2 * 3, dtype=torch.uint8).reshape(1, 2, 3)
    picture = Loaded(PictureSource(0, Path("a.png")), Frame(pixels), note="Before.")
    made, found = turn_upright(picture, Found((turned(90),), "lite"))
    assert made.frame.pixels.tolist() == [[[2, 5], [1, 4], [0, 3]]]
    assert quarters_to_upright(found.faces) == 0
    assert made.note == "Before. The picture lay on its side: it is turned by 90 degrees, counter-clockwise."
    assert turn_upright(picture, Found((turned(10),), "lite"))[0] is picture


@pytest.mark.parametrize("upright", [True, False])
def test_a_portrait_on_its_side_is_restored_as_the_upright_one(
    upright: bool, tiny_weights: Path, tmp_path: Path
) -> None:
    """With the flag the result is upright; without it, it lies as the input does."""
    picture = cv2.imread(str(EXAMPLES / "astronaut.png"))
    cv2.imwrite(str(tmp_path / "side.png"), np.rot90(picture, 1))

    def restored(path: Path) -> tuple[Runtime, np.ndarray, np.ndarray]:
        # keep_detail 0: a sharp portrait would otherwise be left as it is.
        flat = {"weights": str(tiny_weights), "detector": "lite", "precision": "fp32", "keep_detail": 0.0}
        runtime = load_runtime(Settings.from_flat(**flat, upright=upright))
        made = pipeline_of(runtime).restore(PictureSource(0, path))
        assert len(made.faces) == 1
        return runtime, made.result.pixels.numpy().transpose(1, 2, 0), made.crops.pixels.numpy()

    _, straight, crop = restored(EXAMPLES / "astronaut.png")
    _, side, turned_crop = restored(tmp_path / "side.png")
    assert np.abs(crop.astype(float) - turned_crop).mean() < 6, "the network sees the face upright"
    wanted = straight if upright else np.rot90(straight, 1)
    changed = (side != (picture[:, :, ::-1] if upright else np.rot90(picture[:, :, ::-1], 1))).any(axis=2)
    assert 2000 < changed.sum() < 40000, "only the face's surroundings"
    assert np.abs(side.astype(float) - wanted).mean() < 2
