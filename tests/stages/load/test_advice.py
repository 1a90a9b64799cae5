"""What the error about an array advises, followed to the letter, gives the picture that was meant."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from helpers import photo

from gpen_fast.errors import PictureError
from gpen_fast.stages.load.memory import from_array, from_tensor

BYTES = photo(30, 40)
UNIT = BYTES.astype(np.float32) / 255


def overshot(array: np.ndarray, by: float) -> np.ndarray:
    changed = array.copy()
    changed[0, 0, 0], changed[0, 0, 1] = array.min() - by, array.max() + by
    return changed


@pytest.mark.parametrize("kind", ["array", "tensor"])
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (UNIT, BYTES),
        (UNIT.astype(np.float64), BYTES),
        (UNIT.astype(np.float16), BYTES),
        (overshot(UNIT, 0.03), BYTES),
        (UNIT * 2 - 1, BYTES),
        (overshot(UNIT * 2 - 1, 0.05), BYTES),
        (BYTES.astype(np.float32), BYTES),
        (overshot(BYTES.astype(np.float32), 12), BYTES),
        (BYTES.astype(np.float32) * 257, BYTES.astype(np.uint16) * 257),
        (BYTES.astype(np.int64), BYTES),
        (BYTES.astype(np.int32) * 257, BYTES.astype(np.uint16) * 257),
        (BYTES.astype(np.int16), BYTES),
        (BYTES > 128, (BYTES > 128).astype(np.uint8) * 255),
    ],
)
def test_advice_gives_the_picture(kind: str, given: np.ndarray, wanted: np.ndarray) -> None:
    tensor = torch.from_numpy(given).permute(2, 0, 1)
    with pytest.raises(PictureError) as refusal:
        from_array(given) if kind == "array" else from_tensor(tensor)
    advised = re.search(r"Try (.*)\.$", str(refusal.value))
    assert advised, refusal.value
    made = eval(advised[1], {"array": given, "tensor": tensor, "numpy": np, "torch": torch})
    frame = from_array(made) if kind == "array" else from_tensor(made)
    # What overshot its scale is clipped: those two samples differ.
    same = frame.pixels.permute(1, 2, 0).numpy() == wanted
    assert frame.pixels.numpy().dtype == wanted.dtype
    assert same.mean() > 0.999


def test_channels_at_the_other_end() -> None:
    with pytest.raises(PictureError, match=r"Try array\.transpose\(1, 2, 0\)\.$"):
        from_array(BYTES.transpose(2, 0, 1))
    with pytest.raises(PictureError, match=r"Try tensor\.permute\(2, 0, 1\)\.$"):
        from_tensor(torch.from_numpy(BYTES))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.full((4, 5, 3), np.nan), "It holds values that are infinite or no numbers (NaN): replace them first."),
        (np.full((4, 5, 3), np.inf, np.float32), "replace them first."),
        (np.full((4, 5, 3), -300.0), "Its values go from -300 to -300: scale them to 0..255 first."),
        (np.full((4, 5, 3), 70000), "Its values go from 70000 to 70000: scale them to 0..255 first."),
        (np.full((4, 5, 3), -1), "Its values go from -1 to -1: scale them to 0..255 first."),
        (np.zeros((4, 5, 3), complex), "uint8 or uint16."),
        (np.zeros((0, 5, 3)), "uint8 or uint16."),
        (np.zeros((5, 5, 7), np.uint8), "uint8 or uint16."),
    ],
)  # fmt: skip
def test_values_on_no_known_scale(given: np.ndarray, words: str) -> None:
    with pytest.raises(PictureError) as refusal:
        from_array(given)
    assert str(refusal.value).endswith(words)
