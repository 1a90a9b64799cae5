"""At which sizes a picture is searched, whatever the network: one bounded pass, and others only where they help.

A face detector finds faces from about 20 pixels up to about its input's size. So the size `auto` starts with a pass at
640 pixels, which is fast and suits portraits. Where that pass finds small faces, or hints of them, a second one runs at
up to 1600 pixels. Where no pass finds a face, a last one runs on a small picture within a border, for faces that fill
the picture or are cut by its edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.colour import to_8bit
from gpen_fast.image.resize import shrink_by_area
from gpen_fast.settings import AUTO_SIZE, FULL_SIZE, DetectSizeName
from gpen_fast.types import Face, Frame

# The long side of the network's input in the first pass, in the larger one and in the close one, pixels.
FIRST, LARGE, CLOSE = 640, 1600, 480
# The border of the close pass, as a share of the picture's long side.
_BORDER = 0.25
# A face with a shorter side below this many pixels in a pass may have smaller neighbours that the pass missed.
_SMALL_FACE = 32.0
# From this shorter side up in the first pass, in pixels, a larger pass detects a face worse: it finds parts of it.
_LARGE_FACE = 160.0
# A candidate with at least this score, if it is no face, is a hint that a larger pass may find one.
_HINT = 0.3
# Boxes whose intersection is more than this share of their union are of the same face.
_SAME_FACE = 0.4
# Detections that overlap the best one more than this vote on the face's box and landmarks.
_VOTES = 0.5
# A box of which more than this share lies in a large face is a part of that face.
_INSIDE = 0.7
# Down to this scale, bilinear interpolation skips no pixel: it is then twice as fast as area averaging, and as good.
_BILINEAR_FROM = 0.5
# The mean colour of the networks' training pictures, RGB. A border of this colour is zero in the network's input.
MEAN = (123, 117, 104)

Bytes = NDArray[np.uint8]
Floats = NDArray[np.floating]


@dataclass(frozen=True)
class SearchPass:
    """One run of the network over a picture that is shrunk to a bounded size."""

    long_side: int | None
    """The most pixels along the long side of the network's input, its border included; None: no bound."""

    border: float = 0.0
    """The width of the border around the picture, as a share of the picture's long side."""


@dataclass(frozen=True)
class Place:
    """Where a shrunk picture lies in the network's input."""

    height: int
    """Pixels of the shrunk picture, without the border."""

    width: int
    """Pixels of the shrunk picture, without the border."""

    border: int
    """Pixels on each side."""

    scale_x: float
    """The shrunk picture's width divided by the picture's."""

    scale_y: float
    """The shrunk picture's height divided by the picture's."""

    def to_picture(self, points: Floats) -> NDArray[np.float64]:
        """(...,2) points in the network's input as points in the picture, pixels."""
        return (points.astype(np.float64) - self.border) / (self.scale_x, self.scale_y)


# Runs one pass over several pictures: each picture's detections with scores from a floor up, in its own pixels.
RunPass = Callable[[Sequence[Frame], SearchPass, float], list[list[Face]]]


def place(frame: Frame, search_pass: SearchPass) -> Place:
    """How `search_pass` shrinks `frame`; it never enlarges a picture."""
    longest = _long_side(frame)
    room = longest if search_pass.long_side is None else search_pass.long_side / (1 + 2 * search_pass.border)
    scale = min(1.0, room / longest)
    height, width = (max(1, round(side * scale)) for side in (frame.height, frame.width))
    border = round(search_pass.border * max(height, width))
    return Place(height, width, border, width / frame.width, height / frame.height)


def bound_of(size: int | DetectSizeName, largest: int = LARGE) -> int | None:
    """The most pixels along a long side that a search of this size examines; None: all of them.

    Args:
        size: The user's choice: pixels, auto or full.
        largest: What auto means, pixels.
    """
    if size == FULL_SIZE:
        return None
    return largest if size == AUTO_SIZE else size


def search(
    frames: Sequence[Frame], run_pass: RunPass, size: int | DetectSizeName, threshold: float
) -> list[list[Face]]:
    """Detects the faces of several pictures, in one to three passes over each.

    Args:
        frames: The pictures.
        run_pass: Runs the network: what one pass detects in each picture, from a least score up.
        size: The user's choice: the long side in pixels, auto or full.
        threshold: The least score of a face, 0..1.

    Returns:
        The faces of each picture with scores from `threshold` up, best first.
    """
    floor, bound = min(_HINT, threshold), bound_of(size)
    first = FIRST if bound is None else min(FIRST, bound)
    found = run_pass(frames, SearchPass(first), floor)
    larger = [i for i, frame in enumerate(frames) if _long_side(frame) > first and bound != first]
    if size == AUTO_SIZE:
        larger = [i for i in larger if _may_hide_more(found[i], frames[i], threshold)]
    for i, more in _again(frames, larger, run_pass, SearchPass(bound), floor):
        faces = (_reaching(found[i], threshold), _reaching(more, threshold))
        found[i] = _merged(*faces, first / _long_side(frames[i]), exact=bound is None)
    empty = [i for i, faces in enumerate(found) if not _reaching(faces, threshold)]
    for i, more in _again(frames, empty, run_pass, SearchPass(min(CLOSE, first), _BORDER), floor):
        found[i] = more
    return [_reaching(faces, threshold) for faces in found]


def box_of(corners: Floats) -> tuple[float, float, float, float]:
    """A (4,) array x0, y0, x1, y1 as a face's box."""
    x0, y0, x1, y1 = corners.tolist()
    return x0, y0, x1, y1


def pixels(frame: Frame, where: Place) -> Bytes:
    """(H,W,3) uint8 RGB in host memory: the picture shrunk to its place, without the border."""
    array = frame.on_host.permute(1, 2, 0).contiguous().numpy()
    if where.scale_x < 1.0 or where.scale_y < 1.0:
        if min(where.scale_x, where.scale_y) > _BILINEAR_FROM:
            array = cv2.resize(array, (where.width, where.height), interpolation=cv2.INTER_LINEAR)
        else:
            array = shrink_by_area(array, (where.height, where.width))
    array = to_8bit(array)
    grey = array.ndim == 2 or array.shape[2] == 1  # OpenCV's resize drops a single channel's axis
    return np.asarray(cv2.cvtColor(array, cv2.COLOR_GRAY2RGB) if grey else array, dtype=np.uint8)


def bordered(array: Bytes, where: Place) -> Bytes:
    """(H,W,3) to the same within its border of the mean colour."""
    side = where.border
    if not side:
        return array
    wider = cv2.copyMakeBorder(array, side, side, side, side, cv2.BORDER_CONSTANT, value=MEAN)
    return np.asarray(wider, dtype=np.uint8)


def voted(boxes: Floats, scores: Floats, points: Floats, best: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Averages the detections of each face, weighted by their scores.

    A network detects one face at many anchors, each with an error of its own; averaged so, RetinaFace and YuNet agree a
    fifth better. "Object Detection via a Multi-region and Semantic Segmentation-aware CNN Model" (Gidaris and
    Komodakis, 2015) calls this box voting.

    Args:
        boxes: (N,4) x0, y0, x1, y1 of all detections.
        scores: (N,).
        points: (N,...) landmarks.
        best: (B,) the index of each face's best detection.

    Returns:
        Boxes (B,4) and points (B,...): means over the detections that overlap the best one.
    """
    if not len(best):
        return boxes[:0], points[:0]
    shared, union = _overlaps(boxes[best], boxes)
    votes = (shared > _VOTES * union) * scores
    votes = votes / votes.sum(axis=1, keepdims=True)
    flat = points.reshape(len(points), -1)
    return votes @ boxes, (votes @ flat).reshape(-1, *points.shape[1:])


def _overlaps(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The areas of intersection and union of boxes (A,4) and (B,4), each (A,B)."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).prod(axis=1) for box in (a, b))
    return shared, area_a[:, None] + area_b - shared


def _again(
    frames: Sequence[Frame], which: list[int], run_pass: RunPass, search_pass: SearchPass, floor: float
) -> Iterator[tuple[int, list[Face]]]:
    """One more pass over some of the pictures: the index of each and what the pass detects in it."""
    return zip(which, run_pass([frames[i] for i in which], search_pass, floor) if which else [], strict=True)


def _long_side(frame: Frame) -> int:
    return max(frame.width, frame.height)


def _may_hide_more(candidates: list[Face], frame: Frame, threshold: float) -> bool:
    """Whether the first pass found no face, or a candidate so small that it may have missed others."""
    scale = FIRST / _long_side(frame)
    small = any(face.short_side * scale < _SMALL_FACE for face in candidates)
    return small or not _reaching(candidates, threshold)


def _reaching(faces: list[Face], threshold: float) -> list[Face]:
    """The faces whose score reaches the threshold, best first."""
    return sorted((face for face in faces if face.score >= threshold), key=lambda face: -face.score)


def _merged(first: list[Face], larger: list[Face], scale: float, *, exact: bool) -> list[Face]:
    """Merges the faces of two passes: large faces from the first, all others from the larger one.

    A box within a large face is a part of it and is dropped. A small face of the first pass that the larger one does
    not confirm is dropped too.

    Args:
        first: The faces of the first pass.
        larger: The faces of the larger pass.
        scale: The first pass's pixels divided by the picture's.
        exact: Whether the larger pass examined every pixel: a face that both detect then comes from it.
    """
    large = [face for face in first if face.short_side * scale >= _LARGE_FACE]
    if exact:
        large = _without(large, larger)
    medium = [face for face in first if _SMALL_FACE <= face.short_side * scale < _LARGE_FACE]
    kept = [*large, *_without(larger, large, within=True)]
    return [*kept, *_without(medium, kept)]


def _without(faces: list[Face], others: list[Face], *, within: bool = False) -> list[Face]:
    """The `faces` that are not among `others` and, where `within` is set, do not lie inside one of them."""
    if not faces or not others:
        return faces
    boxes = np.array([face.box for face in faces])
    shared, union = _overlaps(boxes, np.array([face.box for face in others]))
    inside = _INSIDE if within else np.inf
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)[:, None]
    same = np.greater(shared, np.minimum(_SAME_FACE * union, inside * area))
    return [face for face, taken in zip(faces, same.any(axis=1), strict=True) if not taken]
