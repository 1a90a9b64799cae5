"""The choice of a detector and of the faces that are restored."""

from __future__ import annotations

from dataclasses import replace
from typing import get_type_hints

import pytest
import torch
from detectors import detect, opened
from helpers import EXAMPLES

from gpen_fast import plugins
from gpen_fast.errors import PluginError
from gpen_fast.settings import DetectOptions
from gpen_fast.stages.detect.base import batch_size, find_all, missed_note, select_faces, too_large_note
from gpen_fast.types import Face, Frame


def test_faces_that_may_be_missed_are_told() -> None:
    frame = Frame(torch.zeros(3, 100, 6400, dtype=torch.uint8))
    large, small = Face((0, 0, 90, 90), 0.9), Face((0, 0, 70, 70), 0.9)
    assert missed_note([large], frame, 1600) == ""
    assert missed_note([large, small], frame, 1600) == (
        "faces were detected at 1600 of 6400 pixels: those below 48 pixels may be missed. Try --detect-size full."
    )
    assert missed_note([], frame, 1600)
    line = Frame(torch.zeros((3, 1, 6400), dtype=torch.uint8))
    assert missed_note([], line, 1600) == "", "no face fits into it"
    assert missed_note([], frame, None) == missed_note([], frame, 6400) == ""


def test_large_faces_hide_no_note_in_a_huge_picture() -> None:
    """Three large faces are found in 12000 pixels; faces of 40 pixels beside them are not visible at 1600."""
    large = Face((0, 0, 2000, 2000), 0.9)
    huge = Frame(torch.zeros(1, 30, 12000, dtype=torch.uint8))
    assert missed_note([large] * 3, huge, 1600) == (
        "faces were detected at 1600 of 12000 pixels: those below 90 pixels may be missed. Try --detect-size full."
    )
    assert missed_note([large], huge, None) == ""
    camera = Frame(torch.zeros(1, 30, 8160, dtype=torch.uint8))  # the largest of common phones
    assert missed_note([large], camera, 1600) == ""


def test_auto_is_the_best_that_needs_no_download() -> None:
    assert opened().name == "lite"
    assert DetectOptions("none").aligned


def test_unknown_detector_lists_what_there_is() -> None:
    known = ["retinaface", "retinaface-mobile", "yunet", "lite", "haar", "none", "yoloface"]
    assert plugins.names("detect") == known
    with pytest.raises(
        PluginError,
        match=rf"detector 'retina' does not exist\. Did you mean 'retinaface'\? Accepted are {', '.join(known)}\.",
    ):
        opened("retina")


def test_choice_of_faces() -> None:
    frame = Frame(torch.zeros(3, 100, 100, dtype=torch.uint8))
    small, large, central = (Face(box, 0.9) for box in ((0, 0, 10, 10), (60, 0, 100, 40), (40, 40, 60, 60)))
    faces = [small, large, central]
    assert select_faces(faces, frame, DetectOptions()) == faces
    assert select_faces(faces, frame, DetectOptions(only_largest=True)) == [large]
    assert select_faces(faces, frame, DetectOptions(only_center=True)) == [central]
    assert select_faces(faces, frame, DetectOptions(min_face=20)) == [large, central]
    assert select_faces(faces, frame, DetectOptions(min_face=50, only_largest=True)) == []
    assert select_faces(faces, frame, DetectOptions(max_face=20)) == [small, central]
    assert select_faces(faces, frame, DetectOptions(max_face=20, only_largest=True)) == [central]
    unsure = replace(large, score=0.5)
    assert select_faces([unsure, central], frame, DetectOptions(detect_threshold=0.8)) == [central]


def test_a_note_counts_the_faces_that_are_too_large() -> None:
    faces = [Face((0, 0, side, side), score) for side, score in ((30, 0.9), (40, 0.9), (50, 0.2))]
    assert too_large_note(faces, DetectOptions()) == ""
    assert too_large_note(faces, DetectOptions(max_face=40, detect_threshold=0.5)) == ""
    assert too_large_note(faces, DetectOptions(max_face=30, detect_threshold=0.5)) == (
        "1 face is larger than --max-face 30 pixels and left alone."
    )
    assert too_large_note(faces, DetectOptions(max_face=20)).startswith("3 faces are larger than")


@pytest.mark.parametrize(
    "name", ["retinaface", "retinaface-mobile", "yunet", "lite", "haar", "none", "yoloface"]
)
def test_facts_say_what_the_detector_says(name: str) -> None:
    module = plugins.load_plugin("detect", name)
    kind = get_type_hints(module.create)["return"]
    assert kind.on_host == plugins.facts("detect")[name].on_host


@pytest.mark.parametrize("name", ["lite", "haar"])
def test_facts_say_whether_there_are_landmarks(name: str) -> None:
    (face,) = detect(name, EXAMPLES / "astronaut.png")
    assert (face.landmarks is not None) == plugins.facts("detect")[name].gives_landmarks


def test_frames_go_one_by_one_to_a_detector_that_takes_one() -> None:
    detector = opened("none")
    frames = [Frame(torch.zeros(3, 8, width, dtype=torch.uint8)) for width in (5, 6)]
    assert [faces[0].box[2] for faces in find_all(detector, frames)] == [5, 6]
    assert batch_size(detector) == 1
