"""The Haar cascade alone: boxes of upright frontal faces."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from detectors import CPU, detect, example, opened
from helpers import EXAMPLES, shared_picture

from gpen_fast.stages.load import load

# Between the eyes, located by hand.
BETWEEN_EYES = {"astronaut.png": (223, 107), "grace_hopper.jpg": (262, 202)}


@pytest.mark.parametrize("name", BETWEEN_EYES)
def test_haar_finds_the_one_face(name: str) -> None:
    faces = detect("haar", EXAMPLES / name)
    assert len(faces) == 1
    x0, y0, x1, y1 = faces[0].box
    x, y = BETWEEN_EYES[name]
    assert x0 < x < x1
    assert y0 < y < y0 + 0.6 * (y1 - y0)
    assert 0 < faces[0].score <= 1


def test_haar_in_sixteen_bits_grey_and_shrunk_pictures() -> None:
    array = example("astronaut.png")
    wanted = detect("haar", array)[0]
    for other in (array.astype(np.uint16) * 257, cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)):
        assert math.dist(detect("haar", other)[0].center, wanted.center) < 5
    large = cv2.resize(array, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert math.dist(detect("haar", large)[0].center, (4 * wanted.center[0], 4 * wanted.center[1])) < 40


def test_haar_roll_follows_the_head() -> None:
    array = example("astronaut.png")
    center = BETWEEN_EYES["astronaut.png"]
    rolls = []
    for degrees in (-10, 10):
        turn = cv2.getRotationMatrix2D(center, -degrees, 1.0)
        rolls.append(
            detect("haar", cv2.warpAffine(array, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE))[0].roll
        )
    assert rolls[0] < -3
    assert rolls[1] > 3


def test_haar_works_in_threads() -> None:
    detector = opened("haar")
    frame = load(EXAMPLES / "astronaut.png", CPU)
    with ThreadPoolExecutor(4) as pool:
        boxes = {detection[0].box for detection in pool.map(lambda _: detector(frame), range(8))}
    assert len(boxes) == 1


def test_haar_threshold_and_size_are_the_users() -> None:
    frame = load(EXAMPLES / "astronaut.png", CPU)
    (face,) = opened("haar")(frame)
    for threshold, count in ((face.score - 0.01, 1), (min(1.0, face.score + 0.01), 0)):
        found = opened("haar", detect_threshold=threshold)(frame)
        assert len(found) == count
    assert opened("haar", detect_size=64)(frame) == [], "too small to be seen"


def test_haar_finds_nobody_in_a_plain_picture() -> None:
    assert detect("haar", np.full((80, 100, 3), 90, np.uint8)) == []


def test_haar_finds_the_people_of_a_group() -> None:
    assert 27 <= len(detect("haar", shared_picture("solvay_conference_1927.png"))) <= 30
