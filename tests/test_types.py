"""Named values are checked where they are made."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpen_fast.errors import PictureError, SettingsError
from gpen_fast.settings import Output, Settings
from gpen_fast.types import Face, FaceBatch, Frame


@pytest.mark.parametrize(
    "pixels",
    [torch.zeros(2, 4, 4, dtype=torch.uint8), torch.zeros(3, 4, 4), torch.zeros(3, 0, 4, dtype=torch.uint8)],
)
def test_frame_refuses_other_shapes_and_dtypes(pixels: torch.Tensor) -> None:
    with pytest.raises(
        PictureError, match=r"a picture of shape \(.*accepted is \(1\|3,H,W\) uint8 or uint16"
    ):
        Frame(pixels)


def test_frame_refuses_alpha_that_does_not_fit() -> None:
    pixels = torch.zeros(3, 4, 5, dtype=torch.uint8)
    for alpha in (torch.zeros(1, 5, 4, dtype=torch.uint8), torch.zeros(1, 4, 5, dtype=torch.uint16)):
        with pytest.raises(PictureError, match=r"alpha of shape .*accepted is \(1,4,5\), torch\.uint8"):
            Frame(pixels, alpha)


def test_batch_and_landmarks() -> None:
    with pytest.raises(PictureError, match=r"crops of shape \(1, 3, 4, 5\)"):
        FaceBatch(torch.zeros(1, 3, 4, 5, dtype=torch.uint8), np.zeros((1, 2, 3)))
    with pytest.raises(PictureError, match=r"matrices of shape \(2, 2, 3\): accepted is \(1,2,3\)"):
        FaceBatch(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), np.zeros((2, 2, 3)))
    with pytest.raises(PictureError, match=r"landmarks of shape \(4, 2\): accepted is \(5,2\)"):
        Face((0, 0, 1, 1), 1.0, np.zeros((4, 2)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"strength": 1.5}, "strength 1.5: accepted is 0 (the input) to 1"),
        ({"batch_size": 0}, "batch size 0: accepted is 1 and up"),
        ({"max_pixels": 0}, "max pixels 0: accepted is 1 and up"),
        ({"min_face": -1}, "min face -1: accepted is 0 pixels and up"),
        ({"only_largest": True, "only_center": True}, "only-largest and only-center contradict each other"),
        ({"detector": "none", "min_face": 9}, "without detection each picture is one face: only-largest"),
        ({"template": "arcface"}, "template 'arcface': accepted are gpen, ffhq"),
    ],
)
def test_settings_are_checked_together(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings(**wrong)
    assert words in str(refusal.value)


def test_output_format() -> None:
    with pytest.raises(SettingsError, match="format 'gif': accepted are jpg, png, webp, same"):
        Output("gif")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"in_place": True},
            "--in-place writes each picture under its own name and in its own format: leave --format",
        ),
        ({"in_place": True, "format": "same", "suffix": "_new"}, "leave --format and --suffix out"),
        (
            {"in_place": True, "format": "same", "save_faces": True},
            "--save-faces would mix faces with the pictures",
        ),
        ({"suffix": "a/b"}, "suffix 'a/b': accepted is part of a file's name, such as _restored."),
    ],
)
def test_outputs_that_cannot_be(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Output(**wrong)
    assert words in str(refusal.value)
