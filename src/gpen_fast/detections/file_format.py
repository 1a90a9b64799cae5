"""The file of landmarks: JSON lines, one for each picture, found by the picture's content.

    {"picture": "sha256:6b86b2...", "file": "a.jpg", "width": 640, "height": 480,
     "detector": "yunet", "threshold": 0.7, "size": "auto",
     "faces": [{"box": [x0, y0, x1, y1], "score": 0.93, "points": [[x, y], ... five], "roll": 0.0}]}

`picture` is the SHA-256 of the file's bytes, as `sha256sum` prints it, so a renamed or moved picture keeps its faces;
for a picture that came as an array it is the hash of its pixels ("pixels-sha256:"). `file` is for people only.
Coordinates are pixels of the upright picture; the centre of its first pixel is (0,0). `points` is null for a detector
of boxes only; `box_points` then says where the landmarks lie in its boxes. `roll` is in degrees.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpen_fast.errors import LandmarksError, reason
from gpen_fast.files import nearest_file
from gpen_fast.types import Face

FILE_KEY, PIXELS_KEY = "sha256:", "pixels-sha256:"
# Hexadecimal digits of a SHA-256.
_DIGEST = 64
# Parts of the box's longer side. A face that the picture's edge cuts has landmarks outside the picture, but none is
# farther outside than this.
_OUTSIDE = 0.5
# (5,2), 0..1: where landmarks lie in the boxes of a file that does not say; eyes, nose, mouth corners.
AVERAGE_POINTS = np.array([[0.29, 0.39], [0.71, 0.39], [0.5, 0.62], [0.32, 0.78], [0.68, 0.78]])
_Json = Any  # what json.loads returns has no static type


@dataclass(frozen=True, eq=False)
class Found:
    """What a detector found in one picture, before any choice among the faces."""

    faces: tuple[Face, ...]
    """The faces, best first."""

    detector: str
    """The detector's name."""

    box_points: NDArray[np.float64] = field(default_factory=lambda: AVERAGE_POINTS)
    """(5,2), 0..1: where the landmarks lie in its boxes."""

    threshold: float | None = None
    """The lowest score that it counted as a face; None if not known."""

    size: int | str | None = None
    """The size at which it searched, as `--detect-size` takes it; None if not known."""


@dataclass(frozen=True, eq=False)
class DetectionEntry:
    """One line of the file."""

    picture: str
    """The key of the picture's content."""

    width: int
    """The picture's width in pixels."""

    height: int
    """The picture's height in pixels."""

    found: Found
    """The faces in it."""

    file: str = ""
    """The picture's file name, for people only."""


def read_detections(path: Path) -> dict[str, DetectionEntry]:
    """Reads a file of landmarks.

    Args:
        path: The file.

    Returns:
        The entries by picture. If two lines are for one picture, the later one counts.

    Raises:
        LandmarksError: The file cannot be read, or a line is invalid. The message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise LandmarksError(f"{path}: {reason(cause, path)}.{nearest_file(path)}") from cause
    except UnicodeDecodeError as cause:
        raise LandmarksError(f"{path}: not a text file. Accepted is what --save-landmarks writes.") from cause
    entries = {}
    for number, content in enumerate(text.split("\n"), 1):
        if content.strip():
            entry = _parsed(content, f"{path}, line {number}")
            entries[entry.picture] = entry
    return entries


def json_line(entry: DetectionEntry) -> str:
    """Returns an entry as one line of JSON, without the line break."""
    found = entry.found
    content: dict[str, object] = {
        "picture": entry.picture,
        # A file name may hold bytes that are no UTF-8; they are escaped, because the name is for people only.
        "file": entry.file.encode(errors="backslashreplace").decode(),
        "width": entry.width,
        "height": entry.height,
        "detector": found.detector,
        "threshold": found.threshold,
        "size": found.size,
        "faces": [_face_dict(face) for face in found.faces],
    }
    if any(face.landmarks is None for face in found.faces):
        content["box_points"] = found.box_points.tolist()
    return json.dumps(content, ensure_ascii=False)


def check_face(face: Face, width: int, height: int) -> None:
    """Checks that a face can lie in a picture.

    Args:
        face: The face.
        width: The picture's width in pixels.
        height: The picture's height in pixels.

    Raises:
        LandmarksError: A number is not finite, the box has no area, the score is not in [0,1], or the box or a
            landmark lies outside the picture.
    """
    x0, y0, x1, y1 = face.box
    numbers = np.array([*face.box, face.score, face.roll])
    spots = np.array([[x0, y0], [x1, y1]] if face.landmarks is None else face.landmarks)
    if not np.isfinite(numbers).all() or not np.isfinite(spots).all():
        raise LandmarksError("a face has a number that is not finite.")
    if x1 <= x0 or y1 <= y0 or not 0.0 <= face.score <= 1.0:
        raise LandmarksError(
            f"a face has the box {list(face.box)} and the score {face.score}: accepted are x0 < x1, y0 < y1 and a "
            "score from 0 to 1."
        )
    if x1 < 0 or y1 < 0 or x0 > width or y0 > height:
        raise LandmarksError(f"the box {list(face.box)} lies outside the picture of {width}x{height} pixels.")
    margin = _OUTSIDE * max(x1 - x0, y1 - y0) if face.landmarks is not None else np.inf
    if (spots < -margin).any() or (spots > np.array([width, height]) + margin).any():
        raise LandmarksError(f"points lie outside the picture of {width}x{height} pixels.")


def _face_dict(face: Face) -> dict[str, object]:
    content: dict[str, object] = {
        "box": [float(edge) for edge in face.box],
        "score": float(face.score),
        "points": None if face.landmarks is None else face.landmarks.tolist(),
    }
    return content | ({"roll": face.roll} if face.roll else {})


def _parsed(content: str, where: str) -> DetectionEntry:
    """The entry of one line. `where` names the file and the line in messages."""
    try:
        return _entry(json.loads(content))
    except json.JSONDecodeError as cause:
        raise LandmarksError(f"{where}: not JSON ({cause.msg} at column {cause.colno}).") from cause
    except LandmarksError as cause:
        raise LandmarksError(f"{where}: {cause}") from cause
    except KeyError as cause:
        raise LandmarksError(f"{where}: the key {cause} is missing.") from cause
    except (TypeError, ValueError, AttributeError, OverflowError) as cause:
        raise LandmarksError(f"{where}: {cause}.") from cause


def _entry(content: _Json) -> DetectionEntry:
    if not isinstance(content, dict):
        raise LandmarksError(f"a line holds {type(content).__name__}: accepted is an object in braces.")
    picture = _key(content["picture"])
    width, height = _side(content["width"]), _side(content["height"])
    faces = tuple(_face(face) for face in content["faces"])
    for face in faces:
        check_face(face, width, height)
    box_points, threshold = content.get("box_points"), content.get("threshold")
    found = Found(
        faces,
        str(content["detector"]),
        AVERAGE_POINTS if box_points is None else _points(box_points),
        None if threshold is None else float(threshold),
        content.get("size"),
    )
    return DetectionEntry(picture, width, height, found, str(content.get("file", "")))


def _key(picture: object) -> str:
    for prefix in (FILE_KEY, PIXELS_KEY):
        if isinstance(picture, str) and picture.startswith(prefix):
            digest = picture.removeprefix(prefix).lower()
            if len(digest) == _DIGEST and set(digest) <= set("0123456789abcdef"):
                return prefix + digest
    raise LandmarksError(f"picture {picture!r}: accepted is {FILE_KEY} and {_DIGEST} hexadecimal digits.")


def _side(value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise LandmarksError(f"a side of {value!r}: accepted is a number of pixels, 1 and up.")
    return value


def _face(content: _Json) -> Face:
    box, points = _numbers(content["box"]), content["points"]
    if len(box) != 4:
        raise LandmarksError(f"a box of {len(box)} numbers: accepted are x0, y0, x1, y1.")
    roll = float(content.get("roll", 0.0))
    score = float(content["score"])
    return Face((box[0], box[1], box[2], box[3]), score, None if points is None else _points(points), roll)


def _points(values: Iterable[Iterable[float]]) -> NDArray[np.float64]:
    points = np.array([_numbers(pair) for pair in values], dtype=np.float64)
    if points.shape != (5, 2):
        raise LandmarksError(f"points of shape {points.shape}: accepted are five pairs of x and y.")
    return points


def _numbers(values: Iterable[float]) -> list[float]:
    return [float(value) for value in values]
