"""Quarter turns: pixels move with their points, and four turns are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpen_fast.image.turn import turn_face, turn_frame, turn_points
from gpen_fast.types import Face, Frame


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_a_pixel_and_its_point_move_together(quarters: int, dtype: torch.dtype) -> None:
    pixels = torch.arange(3 * 4 * 7).reshape(3, 4, 7).to(dtype)
    frame = Frame(pixels, alpha=pixels[:1], dpi=(300.0, 150.0), host=pixels, exif=b"kept")
    made = turn_frame(frame, quarters)
    ((x, y),) = turn_points(np.array([[5.0, 1.0]]), quarters, 7, 4).round().astype(int)
    for one in (made.pixels, made.alpha, made.host):
        assert one is not None
        assert one[0, y, x] == pixels[0, 1, 5]
        assert one.is_contiguous()
    assert made.dpi == ((150.0, 300.0) if quarters % 2 else (300.0, 150.0))
    assert (made.width, made.height) == ((4, 7) if quarters % 2 else (7, 4))
    assert made.exif == b"kept"


def test_one_quarter_is_counter_clockwise() -> None:
    frame = Frame(torch.tensor([[[1, 2, 3]]], dtype=torch.uint8))
    assert turn_frame(frame, 1).pixels.tolist() == [[[3], [2], [1]]]
    face = Face((0.0, 0.0, 2.0, 1.0), 0.9, np.array([[0, 0], [2, 0], [1, 0], [0, 1], [2, 1.0]]), roll=90.0)
    made = turn_face(face, 1, 7, 4)
    assert made.box == (0.0, 4.0, 1.0, 6.0)
    assert made.landmarks is not None
    assert made.landmarks[1].tolist() == [0, 4]
    assert (made.roll, made.score) == (0.0, 0.9)


def test_four_quarters_are_none() -> None:
    points = np.array([[1.0, 2.0], [0.5, 3.0]])
    assert np.allclose(turn_points(turn_points(points, 1, 7, 4), 3, 4, 7), points)
