"""Crop against the reference implementation, and what a network sees of small and grey pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from helpers import photo
from PIL import Image
from placed import face_at, frame_of, picture, solvay

from gpen_fast.stages.crop import crop
from gpen_fast.stages.load import load
from gpen_fast.types import Frame

CPU = torch.device("cpu")


def test_crop_equals_the_reference() -> None:
    _, frame, _, matrices = solvay()
    got = crop(frame, matrices[:1], 512).pixels[0].permute(1, 2, 0).numpy()
    error = np.abs(got.astype(int) - picture("crop_solvay_face0_512.png"))
    assert error.mean() <= 1.0
    assert error.max() <= 3


def test_crop_minifies_with_antialiasing() -> None:
    frame = Frame(torch.zeros(3, 512, 512, dtype=torch.uint8))
    frame.pixels[:, :, ::2] = 255
    _, matrix = face_at(0, 0, 512)
    assert crop(frame, matrix[None], 64).pixels[0, :, 8:-8, 8:-8].float().std() < 3


def test_crop_of_nobody_and_of_a_grey_picture() -> None:
    frame = frame_of(channels=1)
    assert len(crop(frame, np.zeros((0, 2, 3)), 64)) == 0
    grey = crop(frame, face_at(10, 10, 64)[1][None], 64)
    assert repr(grey) == "FaceBatch(1x3x64x64 uint8 cpu)"
    assert torch.equal(grey.pixels[0, 0], grey.pixels[0, 2])


def test_crop_of_a_loaded_picture_equals_that_of_the_array(tmp_path: Path) -> None:
    array = photo(120, 160)
    Image.fromarray(array).save(tmp_path / "a.png")
    matrix = face_at(30, 20, 90)[1][None]
    loaded = crop(load(tmp_path / "a.png", CPU), matrix, 64).pixels
    assert torch.equal(loaded, crop(load(array, CPU), matrix, 64).pixels)
