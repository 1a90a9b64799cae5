"""Areas of faces, and pictures turned as players show them."""

from __future__ import annotations

import numpy as np
import pytest

from gpen_fast.run.video.frames import crop_areas, upright
from gpen_fast.video.change import Area
from gpen_fast.video.film_frame import turned_back


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_an_area_lies_on_the_same_pixels_in_the_decoded_picture(rotation: int) -> None:
    decoded = np.zeros((30, 50, 3), np.uint8)
    shown = upright(decoded, rotation)
    area = Area(4, 7, 20, 11)
    shown[area.y0 : area.y1, area.x0 : area.x1] = 1  # a view of the decoded picture
    back = turned_back(area, (shown.shape[1], shown.shape[0]), rotation)
    assert decoded[back.y0 : back.y1, back.x0 : back.x1].all()
    assert decoded.sum() == 3 * 16 * 4


def test_the_area_of_a_crop_holds_its_corners_and_a_margin() -> None:
    (area,) = crop_areas(np.array([[[2.0, 0.0, -20.0], [0.0, 2.0, -40.0]]]), 64)
    assert area == Area(7, 17, 46, 56)
