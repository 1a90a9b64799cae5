"""Faces found once and kept: JSON lines, one picture each, keyed by the picture's content.

    {"picture": "sha256:6b86b2...", "file": "a.jpg", "width": 640, "height": 480,
     "detector": "yunet", "threshold": 0.7, "size": "auto",
     "faces": [{"box": [x0, y0, x1, y1], "score": 0.93, "points": [[x, y], ... five], "roll": 0.0}]}

`picture` is the SHA-256 of the file's bytes, as `sha256sum` prints it, so that a renamed or moved picture keeps
its faces; for a picture that came as an array it is the hash of its pixels ("pixels-sha256:"). `file` is for
people. Coordinates are pixels of the upright picture, the first pixel's centre 0,0. `points` is null for a
detector of boxes only; `box_points` then says where the landmarks lie in its boxes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpen_fast.errors import LandmarksError, reason
from gpen_fast.types import Face

FILE_KEY, PIXELS_KEY = "sha256:", "pixels-sha256:"
_DIGEST = 64
# A face cut by the picture's edge has points outside, but none further than half its size.
_OUTSIDE = 0.5
# Where landmarks lie in the boxes of a file that does not say.
AVERAGE_POINTS = np.array([[0.29, 0.39], [0.71, 0.39], [0.5, 0.62], [0.32, 0.78], [0.68, 0.78]])


@dataclass(frozen=True, eq=False)
class Found:
    """What a detector found in one picture, before any choice among the faces.

    box_points: (5,2), where landmarks lie in its boxes, 0..1. threshold, size: with what it searched, None where
    not known.
    """

    faces: tuple[Face, ...]
    detector: str
    box_points: NDArray[np.float64] = field(default_factory=lambda: AVERAGE_POINTS)
    threshold: float | None = None
    size: int | str | None = None


@dataclass(frozen=True, eq=False)
class Entry:
    """One line of a file: a picture and what was found in it."""

    picture: str
    width: int
    height: int
    found: Found
    file: str = ""


def read(path: Path) -> dict[str, Entry]:
    """The file's entries by picture; of two for one picture the later. LandmarksError, with the line's number."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise LandmarksError(f"{path}: {reason(cause, path)}.") from cause
    except UnicodeDecodeError as cause:
        raise LandmarksError(f"{path}: is no text file. Accepted is what --save-landmarks writes.") from cause
    entries = {}
    for number, content in enumerate(text.split("\n"), 1):
        if content.strip():
            entry = _parsed(content, f"{path}, line {number}")
            entries[entry.picture] = entry
    return entries


def line(entry: Entry) -> str:
    """An entry as one line of JSON."""
    found = entry.found
    made: dict[str, Any] = {
        "picture": entry.picture,
        "file": entry.file.encode(errors="backslashreplace").decode(),
        "width": entry.width,
        "height": entry.height,
        "detector": found.detector,
        "threshold": found.threshold,
        "size": found.size,
        "faces": [_face_dict(face) for face in found.faces],
    }
    if any(face.landmarks is None for face in found.faces):
        made["box_points"] = found.box_points.tolist()
    return json.dumps(made, ensure_ascii=False)


def check(face: Face, width: int, height: int) -> None:
    """LandmarksError for a face that cannot be: not finite, no area, or out of the picture."""
    x0, y0, x1, y1 = face.box
    numbers = np.array([*face.box, face.score, face.roll])
    spots = np.array([[x0, y0], [x1, y1]] if face.landmarks is None else face.landmarks)
    if not np.isfinite(numbers).all() or not np.isfinite(spots).all():
        raise LandmarksError("a face with a number that is not finite.")
    if x1 <= x0 or y1 <= y0 or not 0.0 <= face.score <= 1.0:
        raise LandmarksError(f"a face with box {list(face.box)} and score {face.score}.")
    if x1 < 0 or y1 < 0 or x0 > width or y0 > height:
        raise LandmarksError(f"a box {list(face.box)} outside the picture of {width}x{height} pixels.")
    margin = _OUTSIDE * max(x1 - x0, y1 - y0) if face.landmarks is not None else np.inf
    if (spots < -margin).any() or (spots > np.array([width, height]) + margin).any():
        raise LandmarksError(f"points outside the picture of {width}x{height} pixels.")


def _face_dict(face: Face) -> dict[str, Any]:
    points = None if face.landmarks is None else face.landmarks.tolist()
    made = {
        "box": [float(edge) for edge in face.box],
        "score": float(face.score),
        "points": points,
    }
    return made | ({"roll": face.roll} if face.roll else {})


def _parsed(content: str, where: str) -> Entry:
    try:
        made = json.loads(content)
        return _entry(made)
    except json.JSONDecodeError as cause:
        raise LandmarksError(f"{where}: is no JSON ({cause.msg} at column {cause.colno}).") from cause
    except LandmarksError as cause:
        raise LandmarksError(f"{where}: {cause}") from cause
    except KeyError as cause:
        raise LandmarksError(f"{where}: has no {cause}.") from cause
    except (TypeError, ValueError, AttributeError, OverflowError) as cause:
        raise LandmarksError(f"{where}: {cause}.") from cause


def _entry(made: Mapping[str, Any]) -> Entry:
    picture = _key(made["picture"])
    width, height = _side(made["width"]), _side(made["height"])
    faces = tuple(_face(face) for face in made["faces"])
    for face in faces:
        check(face, width, height)
    box_points = made.get("box_points")
    threshold = made.get("threshold")
    found = Found(
        faces,
        str(made["detector"]),
        AVERAGE_POINTS if box_points is None else _points(box_points),
        None if threshold is None else float(threshold),
        made.get("size"),
    )
    return Entry(picture, width, height, found, str(made.get("file", "")))


def _key(picture: object) -> str:
    for prefix in (FILE_KEY, PIXELS_KEY):
        if isinstance(picture, str) and picture.startswith(prefix):
            digest = picture.removeprefix(prefix).lower()
            if len(digest) == _DIGEST and set(digest) <= set("0123456789abcdef"):
                return prefix + digest
    raise LandmarksError(f"picture {picture!r}: accepted is {FILE_KEY} and {_DIGEST} hexadecimal digits.")


def _side(value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise LandmarksError(f"a side of {value!r}: accepted is a number of pixels.")
    return value


def _face(made: Mapping[str, Any]) -> Face:
    x0, y0, x1, y1 = _numbers(made["box"])
    points = made["points"]
    roll = float(made.get("roll", 0.0))
    return Face((x0, y0, x1, y1), float(made["score"]), None if points is None else _points(points), roll)


def _points(values: Iterable[Iterable[float]]) -> NDArray[np.float64]:
    points = np.array([_numbers(pair) for pair in values], dtype=np.float64)
    if points.shape != (5, 2):
        raise LandmarksError(f"points of shape {points.shape}: accepted are five of x and y.")
    return points


def _numbers(values: Iterable[float]) -> list[float]:
    return [float(value) for value in values]
