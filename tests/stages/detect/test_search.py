"""Which looks a picture is given, and how their faces become one list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from gpen_fast.settings import AUTO_SIZE, DetectSizeName
from gpen_fast.stages.detect import search as search_module
from gpen_fast.stages.detect.search import SearchPass, bordered, pixels, place, search, voted
from gpen_fast.types import Face, Frame


def frame(width: int, height: int) -> Frame:
    return Frame(torch.zeros(3, height, width, dtype=torch.uint8))


def face(x: float, y: float, side: float, score: float = 0.9) -> Face:
    return Face((x, y, x + side, y + side), score)


class Seen:
    """Answers each look with what is said to be seen at that size, and remembers the looks."""

    def __init__(self, **at: list[Face]) -> None:
        self.at = at
        self.looks: list[int | None] = []

    def __call__(self, frames: Sequence[Frame], search_pass: SearchPass, floor: float) -> list[list[Face]]:
        self.looks.append(search_pass.long_side)
        return [list(self.at.get(f"at_{search_pass.long_side}", [])) for _ in frames]


def found(seen: Seen, picture: Frame, size: int | DetectSizeName = AUTO_SIZE) -> list[Face]:
    return search([picture], seen, size, 0.5)[0]


def test_a_large_face_needs_one_look() -> None:
    seen = Seen(at_640=[face(100, 100, 900)])
    assert found(seen, frame(4000, 3000)) == seen.at["at_640"]
    assert seen.looks == [640]


@pytest.mark.parametrize("hint", [face(0, 0, 150), face(0, 0, 150, score=0.4)])
def test_small_faces_and_hints_of_them_bring_a_larger_look(hint: Face) -> None:
    small = [face(0, 0, 150), face(1000, 0, 60)]
    seen = Seen(at_640=[hint], at_1600=small)
    assert found(seen, frame(4000, 3000)) == small
    assert seen.looks == [640, 1600]


def test_nobody_brings_a_larger_look_and_then_a_close_one_within_a_border() -> None:
    close = [face(-50, -80, 900)]
    seen = Seen(at_480=close)
    assert found(seen, frame(1000, 1000)) == close
    assert seen.looks == [640, 1600, 480]
    assert place(frame(1000, 500), SearchPass(480, 0.25)) == search_module.Place(160, 320, 80, 0.32, 0.32)


def test_full_looks_at_every_pixel_and_a_number_at_no_more() -> None:
    tiny = [face(0, 0, 20)]
    seen = Seen(at_None=tiny)
    assert found(seen, frame(4000, 3000), "full") == tiny
    assert seen.looks == [640, None]
    for size, looks in ((2000, [640, 2000]), (320, [320])):
        seen = Seen(**{f"at_{looks[0]}": [face(0, 0, 900)]})
        found(seen, frame(4000, 3000), size)
        assert seen.looks == looks
    seen = Seen(at_640=tiny)
    found(seen, frame(500, 400), "full")
    assert seen.looks == [640], "a picture that fits is looked at once"


def test_each_face_comes_from_the_look_that_sees_it_best() -> None:
    large, part = face(0, 0, 1200, 0.8), face(300, 300, 500, 0.95)
    middle = face(1500, 0, 300, 0.7)
    small_then, small_now = face(2000, 0, 100, 0.9), face(2005, 5, 100, 0.85)
    gone = face(3000, 0, 100, 0.9)
    seen = Seen(at_640=[large, middle, small_then, gone], at_1600=[part, small_now])
    assert found(seen, frame(4000, 3000)) == [small_now, large, middle]
    seen = Seen(at_640=[large, middle], at_None=[part, face(1505, 5, 300, 0.6)])
    assert found(seen, frame(4000, 3000), "full") == [large, seen.at["at_None"][1]]
    seen = Seen(at_640=[large], at_None=[face(5, 5, 1200, 0.7)])
    assert found(seen, frame(4000, 3000), "full") == seen.at["at_None"], "every pixel counts"


def test_faces_below_the_threshold_are_none() -> None:
    seen = Seen(at_640=[face(0, 0, 300, 0.6), face(400, 0, 300, 0.49)])
    assert [f.score for f in found(seen, frame(640, 640))] == [0.6]


def test_only_pictures_that_need_it_are_looked_at_again() -> None:
    asked = []

    def run_pass(frames: Sequence[Frame], search_pass: SearchPass, floor: float) -> list[list[Face]]:
        asked.append((search_pass.long_side, [f.width for f in frames]))
        return [[face(0, 0, 30 if f.width == 2000 else 300)] for f in frames]

    faces = search([frame(600, 600), frame(2000, 1000), frame(1000, 700)], run_pass, AUTO_SIZE, 0.5)
    assert asked == [(640, [600, 2000, 1000]), (1600, [2000])]
    assert [f[0].short_side for f in faces] == [300, 30, 300]


def test_pictures_of_any_kind_become_rgb_bytes_of_the_looks_size() -> None:
    grey = Frame(torch.full((1, 50, 100), 257 * 100, dtype=torch.int32).to(torch.uint16), channels=1)
    where = place(grey, SearchPass(64))
    array = pixels(grey, where)
    assert array.shape == (32, 64, 3)
    assert array.dtype == np.uint8
    assert (array == 100).all()
    assert place(grey, SearchPass(6000)).scale_x == 1.0, "pictures are never enlarged"
    around = bordered(array, place(grey, SearchPass(96, 0.25)))
    assert around.shape == (64, 96, 3)
    assert tuple(around[0, 0]) == search_module.MEAN


def test_places_map_back_to_the_picture() -> None:
    where = place(frame(1000, 500), SearchPass(480, 0.25))
    assert where.to_picture(np.array([[80, 80], [400, 240]])).tolist() == [[0, 0], [1000, 500]]


def test_readings_of_one_face_vote() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60.0]])
    scores, points = np.array([0.6, 0.2, 0.9]), np.arange(30.0).reshape(3, 5, 2)
    at, spots = voted(boxes, scores, points, np.array([2, 0]))
    assert np.allclose(at, [boxes[2], boxes[0] * 0.75 + boxes[1] * 0.25])
    assert np.allclose(spots, [points[2], points[0] * 0.75 + points[1] * 0.25])
    assert voted(boxes, scores, points, np.array([], int))[0].shape == (0, 4)
