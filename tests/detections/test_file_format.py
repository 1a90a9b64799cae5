"""The file of landmarks: written entries are read back unchanged, and invalid lines are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpen_fast.detections.file_format import AVERAGE_POINTS, DetectionEntry, Found, json_line, read_detections
from gpen_fast.errors import LandmarksError
from gpen_fast.types import Face

KEY = "sha256:" + "ab" * 32
POINTS = np.array([[20, 30], [40.1234567890123, 31], [30, 40], [22, 50], [38, 51]])


def entry(**changes: Any) -> dict[str, Any]:
    """A line as a dict, some of it replaced."""
    made = json.loads(
        json_line(
            DetectionEntry(
                KEY, 100, 80, Found((Face((10, 20, 50, 60), 0.9, POINTS),), "yunet", threshold=0.7)
            )
        )
    )
    return made | changes


def read_text(folder: Path, text: str) -> dict[str, DetectionEntry]:
    path = folder / "faces.jsonl"
    path.write_text(text)
    return read_detections(path)


def test_every_number_is_read_back_as_it_was(tmp_path: Path) -> None:
    boxes = np.linspace(0.1, 0.9, 10).reshape(5, 2)
    faces = (Face((1 / 3, 20, 50, 60), 0.1 + 0.2, POINTS), Face((0, 0, 9, 9), 1.0, None, roll=-7.25))
    text = json_line(DetectionEntry(KEY, 100, 80, Found(faces, "haar", boxes, 0.5, 640), "ärger\udcff.jpg"))
    assert "\n" not in text
    (back,) = read_text(tmp_path, text + "\n").values()
    assert (back.picture, back.width, back.height) == (KEY, 100, 80)
    assert back.found.faces[0].box == faces[0].box
    assert back.found.faces[0].score == faces[0].score
    assert np.array_equal(back.found.faces[0].landmarks, POINTS)
    assert back.found.faces[1].landmarks is None
    assert back.found.faces[1].roll == -7.25
    assert np.array_equal(back.found.box_points, boxes)
    assert (back.found.detector, back.found.threshold, back.found.size) == ("haar", 0.5, 640)


def test_optional_keys_may_be_missing_and_the_last_line_counts(tmp_path: Path) -> None:
    face = {"box": [1, 2, 30, 40], "score": 1, "points": None}
    by_hand = {
        "picture": KEY.upper().replace("SHA", "sha"),
        "width": 50,
        "height": 60,
        "detector": "me",
        "faces": [face],
    }
    (back,) = read_text(tmp_path, f"{json.dumps(entry())}\n\n{json.dumps(by_hand)}\n").values()
    assert back.found.detector == "me"
    assert back.found.threshold is None
    assert np.array_equal(back.found.box_points, AVERAGE_POINTS)


NAN = float("nan")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "a line holds list: accepted is an object in braces"),
        (entry(picture="a.jpg"), "picture 'a.jpg': accepted is sha256: and 64 hexadecimal digits"),
        ({"picture": KEY}, "the key 'width' is missing"),
        (entry(width=0), "a side of 0: accepted is a number of pixels, 1 and up"),
        (
            entry(faces=[{"box": [1, 2, 3], "score": 1, "points": None}]),
            "a box of 3 numbers: accepted are x0, y0",
        ),
        (entry(faces=[{"box": [1, 2, 30, NAN], "score": 1, "points": None}]), "a number that is not finite"),
        (
            entry(faces=[{"box": [30, 2, 3, 9], "score": 1, "points": None}]),
            "a face has the box [30.0, 2.0, 3.0, 9.0]",
        ),
        (
            entry(faces=[{"box": [1, 2, 30, 9], "score": 2, "points": None}]),
            "and the score 2.0: accepted are",
        ),
        (
            entry(faces=[{"box": [200, 2, 230, 9], "score": 1, "points": None}]),
            "outside the picture of 100x80",
        ),
        (entry(faces=[{"box": [1, 2, 30, 9], "score": 1, "points": [[1, 2]] * 4}]), "points of shape (4, 2)"),
        (
            entry(faces=[{"box": [1, 2, 30, 9], "score": 1, "points": [[1, 2], [3, NAN], *[[1, 2]] * 3]}]),
            "a number that is not finite",
        ),
        (
            entry(faces=[{"box": [1, 2, 30, 9], "score": 1, "points": [[1, 2], [130, 2], *[[1, 2]] * 3]}]),
            "points lie outside the picture of 100x80 pixels",
        ),
    ],
)
def test_invalid_lines_are_refused_with_their_number(tmp_path: Path, bad: Any, words: str) -> None:
    text = bad if isinstance(bad, str) else json.dumps(bad)
    with pytest.raises(LandmarksError) as caught:
        read_text(tmp_path, f"{json.dumps(entry())}\n{text}\n")
    assert str(caught.value).startswith(f"{tmp_path / 'faces.jsonl'}, line 2: ")
    assert words in str(caught.value)


def test_points_of_a_face_cut_by_the_edge_may_lie_just_outside(tmp_path: Path) -> None:
    points = [[-9, 30], [5, 30], [-2, 40], [-8, 50], [4, 50]]
    face = {"box": [-12, 10, 20, 60], "score": 1, "points": points}
    assert len(read_text(tmp_path, json.dumps(entry(faces=[face])))) == 1


def test_missing_and_binary_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LandmarksError, match=r"none\.jsonl: no such file or directory\."):
        read_detections(tmp_path / "none.jsonl")
    (tmp_path / "photo.jsonl").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(LandmarksError, match=r"photo\.jsonl: not a text file"):
        read_detections(tmp_path / "photo.jsonl")
