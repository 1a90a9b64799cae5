"""Detectors behind the plug-in folder."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from helpers import EXAMPLES, shared_picture

from gpen_fast import plugins
from gpen_fast.errors import PluginError
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.base import choose, missed_note, open_detector
from gpen_fast.stages.load import load
from gpen_fast.types import Face, Frame

CPU = torch.device("cpu")
# Between the eyes, found by eye.
BETWEEN_EYES = {"astronaut.png": (223, 107), "grace_hopper.jpg": (262, 202)}


def detect(source: object, name: str = "haar") -> list[Face]:
    return open_detector(Settings.from_flat(detector=name), CPU)(load(source, CPU))


@pytest.mark.parametrize("name", BETWEEN_EYES)
def test_haar_finds_the_one_face(name: str) -> None:
    faces = detect(EXAMPLES / name)
    assert len(faces) == 1
    x0, y0, x1, y1 = faces[0].box
    x, y = BETWEEN_EYES[name]
    assert x0 < x < x1
    assert y0 < y < y0 + 0.6 * (y1 - y0)
    assert 0 < faces[0].score <= 1


def test_haar_in_sixteen_bits_grey_and_shrunk_pictures() -> None:
    array = cv2.cvtColor(cv2.imread(str(EXAMPLES / "astronaut.png")), cv2.COLOR_BGR2RGB)
    wanted = detect(array)[0]
    for other in (array.astype(np.uint16) * 257, cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)):
        assert math.dist(detect(other)[0].center, wanted.center) < 5
    large = cv2.resize(array, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert math.dist(detect(large)[0].center, (4 * wanted.center[0], 4 * wanted.center[1])) < 40


def test_haar_roll_follows_the_head() -> None:
    array = cv2.cvtColor(cv2.imread(str(EXAMPLES / "astronaut.png")), cv2.COLOR_BGR2RGB)
    center = BETWEEN_EYES["astronaut.png"]
    rolls = []
    for degrees in (-10, 10):
        turn = cv2.getRotationMatrix2D(center, -degrees, 1.0)
        rolls.append(detect(cv2.warpAffine(array, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE))[0].roll)
    assert rolls[0] < -3
    assert rolls[1] > 3


def test_haar_works_in_threads() -> None:
    detector = open_detector(Settings.from_flat(detector="haar"), CPU)
    frame = load(EXAMPLES / "astronaut.png", CPU)
    with ThreadPoolExecutor(4) as pool:
        boxes = {detection[0].box for detection in pool.map(lambda _: detector(frame), range(8))}
    assert len(boxes) == 1


def test_haar_threshold_and_size_are_the_users() -> None:
    frame = load(EXAMPLES / "astronaut.png", CPU)
    (face,) = open_detector(Settings.from_flat(detector="haar"), CPU)(frame)
    for threshold, count in ((face.score - 0.01, 1), (min(1.0, face.score + 0.01), 0)):
        found = open_detector(Settings.from_flat(detector="haar", detect_threshold=threshold), CPU)(frame)
        assert len(found) == count
    assert open_detector(Settings.from_flat(detector="haar", detect_size=64), CPU)(frame) == [], (
        "too small to be seen"
    )


def test_faces_that_may_be_missed_are_told() -> None:
    frame = Frame(torch.zeros(3, 100, 6400, dtype=torch.uint8))
    large, small = Face((0, 0, 90, 90), 0.9), Face((0, 0, 70, 70), 0.9)
    assert missed_note([large], frame, 1600) == ""
    assert missed_note([large, small], frame, 1600) == (
        "searched at 1600 of 6400 pixels: faces below 48 may be missed. Try --detect-size full."
    )
    assert missed_note([], frame, 1600)
    line = Frame(torch.zeros((3, 1, 6400), dtype=torch.uint8))
    assert missed_note([], line, 1600) == "", "no face fits into it"
    assert missed_note([], frame, None) == missed_note([], frame, 6400) == ""


def test_haar_finds_nobody_in_a_plain_picture() -> None:
    assert detect(np.full((80, 100, 3), 90, np.uint8)) == []


def test_haar_finds_the_people_of_a_group() -> None:
    assert 27 <= len(detect(shared_picture("solvay_conference_1927.png"))) <= 30


def test_auto_is_the_best_that_needs_no_download() -> None:
    assert open_detector(Settings(), CPU).name == "lite"
    assert Settings.from_flat(detector="none").aligned


def test_unknown_detector_lists_what_there_is() -> None:
    known = ["haar", "lite", "none", "retinaface", "retinaface-mobile", "yoloface", "yunet"]
    assert plugins.names("detect") == known
    with pytest.raises(
        PluginError, match=rf"detector 'retina' does not exist: there is {', '.join(known)}\."
    ):
        open_detector(Settings.from_flat(detector="retina"), CPU)


def test_missing_dependency_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ModuleNotFoundError("No module named 'onnx'", name="onnx")

    monkeypatch.setattr(plugins.importlib, "import_module", fail)
    with pytest.raises(
        PluginError, match=r"detector 'haar' needs the package onnx, .* Try: pip install onnx"
    ):
        plugins.load("detect", "haar")


def test_opencv_without_cascades_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(
        PluginError, match=r"needs opencv-python 4\.x.*Try: pip install 'opencv-python>=4\.10,<5'"
    ):
        open_detector(Settings.from_flat(detector="haar"), CPU)
    with pytest.raises(PluginError, match=r"detector 'lite' needs opencv-python 4\.x"):
        open_detector(Settings.from_flat(detector="lite"), CPU)


def test_choice_of_faces() -> None:
    frame = Frame(torch.zeros(3, 100, 100, dtype=torch.uint8))
    small, large, central = (Face(box, 0.9) for box in ((0, 0, 10, 10), (60, 0, 100, 40), (40, 40, 60, 60)))
    faces = [small, large, central]
    settings = Settings()
    assert choose(faces, frame, settings) == faces
    assert choose(faces, frame, Settings.from_flat(only_largest=True)) == [large]
    assert choose(faces, frame, Settings.from_flat(only_center=True)) == [central]
    assert choose(faces, frame, Settings.from_flat(min_face=20)) == [large, central]
    assert choose(faces, frame, Settings.from_flat(min_face=50, only_largest=True)) == []
    unsure = replace(large, score=0.5)
    assert choose([unsure, central], frame, Settings.from_flat(detect_threshold=0.8)) == [central]
