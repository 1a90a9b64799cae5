"""At what sizes a picture is searched, whatever the network: one bounded look, and others only where they help.

A face detector finds faces of some 20 pixels up to about its input's size. So `auto` looks at 640 pixels first,
which is quick and suits portraits; where faces are small there it looks at more pixels; and where it finds
nobody it looks at a shrunk picture within a border, for faces that fill the picture or are cut by its edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.settings import AUTO_SIZE, FULL_SIZE, Settings
from gpen_fast.types import Face, Frame

# Long sides, pixels.
FIRST, LARGE, CLOSE = 640, 1600, 480
# Around the close look, as a share of the picture's long side.
_BORDER = 0.25
# Faces below this side in a look may have smaller neighbours that it missed.
SMALL = 32.0
# Scores from which a candidate, if no face, is a hint that a larger look may find one.
HINT = 0.3
# Two boxes that share more than this of their union are one face.
_SAME = 0.4
# And two readings that share more than this are of the same face seen by neighbouring anchors.
_VOTES = 0.5
# A face from this side up in the first look is seen worse in a larger one, which finds parts of it.
_BIG = 160.0
_PASSING = 0.5
_INSIDE = 0.7
# The mean colour of the networks' training pictures, RGB: the border says nothing.
MEAN = (123, 117, 104)


@dataclass(frozen=True)
class SearchPass:
    """long_side: the most pixels of the input's, its border included, None for all. border: share of the picture's."""

    long_side: int | None
    border: float = 0.0


@dataclass(frozen=True)
class Place:
    """Where a shrunk picture lies in the network's input, pixels."""

    height: int
    width: int
    border: int
    scale_x: float
    scale_y: float

    def to_picture(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """(...,2) points of the network's input in the picture's pixels."""
        return (points.astype(np.float64) - self.border) / (self.scale_x, self.scale_y)


Pixels = NDArray[Any]
RunPass = Callable[[Sequence[Frame], SearchPass, float], list[list[Face]]]


def place(frame: Frame, search_pass: SearchPass) -> Place:
    """How `search_pass` shrinks `frame`; pictures are never enlarged."""
    longest = max(frame.width, frame.height)
    room = longest if search_pass.long_side is None else search_pass.long_side / (1 + 2 * search_pass.border)
    scale = min(1.0, room / longest)
    height, width = (max(1, round(side * scale)) for side in (frame.height, frame.width))
    border = round(search_pass.border * max(height, width))
    return Place(height, width, border, width / frame.width, height / frame.height)


def bound_of(settings: Settings) -> int | None:
    """The most pixels of a long side that these settings look at; None for all."""
    size = settings.detect_size
    return {AUTO_SIZE: LARGE, FULL_SIZE: None}[size] if isinstance(size, str) else size


def search(
    frames: Sequence[Frame], run_pass: RunPass, settings: Settings, threshold: float
) -> list[list[Face]]:
    """The faces of each picture with a score from `threshold` up, best first.

    look_at(frames, look, floor): what a network finds in one look, from the score `floor` up.
    """
    floor, bound = min(HINT, threshold), bound_of(settings)
    first = FIRST if bound is None else min(FIRST, bound)
    found = run_pass(frames, SearchPass(first), floor)
    larger = [i for i, frame in enumerate(frames) if _long_side(frame) > first and bound != first]
    if settings.detect_size == AUTO_SIZE:
        larger = [i for i in larger if _may_hide_more(found[i], frames[i], threshold)]
    for i, more in _searched_again(frames, larger, run_pass, SearchPass(bound), floor):
        faces = (_sure(found[i], threshold), _sure(more, threshold))
        found[i] = _merged(*faces, first / _long_side(frames[i]), exact=bound is None)
    nobody = [i for i, faces in enumerate(found) if not _sure(faces, threshold)]
    for i, more in _searched_again(frames, nobody, run_pass, SearchPass(min(CLOSE, first), _BORDER), floor):
        found[i] = more
    return [_sure(faces, threshold) for faces in found]


def box_of(corners: NDArray[Any]) -> tuple[float, float, float, float]:
    """(4,) as a face's box."""
    x0, y0, x1, y1 = corners.tolist()
    return x0, y0, x1, y1


def pixels(frame: Frame, where: Place) -> Pixels:
    """(H,W,3) uint8 RGB in host memory: the picture shrunk to its place, without a border."""
    array: Pixels = frame.on_host.permute(1, 2, 0).contiguous().numpy()
    if where.scale_x < 1.0 or where.scale_y < 1.0:
        # Twice as fast, and as good as long as no pixel is passed over.
        how = cv2.INTER_LINEAR if min(where.scale_x, where.scale_y) > _PASSING else cv2.INTER_AREA
        array = cv2.resize(array, (where.width, where.height), interpolation=how)
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    grey = array.ndim == 2 or array.shape[2] == 1
    return cv2.cvtColor(array, cv2.COLOR_GRAY2RGB) if grey else array


def bordered(array: Pixels, where: Place) -> Pixels:
    """The picture within its border."""
    side = where.border
    if not side:
        return array
    return cv2.copyMakeBorder(array, side, side, side, side, cv2.BORDER_CONSTANT, value=MEAN)


def voted(
    boxes: NDArray[Any], scores: NDArray[Any], points: NDArray[Any], best: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Boxes (B,4) and points (B,...) of the detections `best`, as means over those that agree with each.

    boxes: (N,4). scores: (N,). points: (N,...). A network reads one face at many anchors, each with some error
    of its own; RetinaFace and YuNet come a fifth nearer to each other so. "Object Detection via a Multi-region
    and Semantic Segmentation-aware CNN Model" (Gidaris and Komodakis, 2015) calls it box voting.
    """
    if not len(best):
        return boxes[:0], points[:0]
    shared, union = _shared(boxes[best], boxes)
    votes = (shared > _VOTES * union) * scores
    votes = votes / votes.sum(axis=1, keepdims=True)
    flat = points.reshape(len(points), -1)
    return votes @ boxes, (votes @ flat).reshape(-1, *points.shape[1:])


def _shared(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Areas of intersection and union of boxes (A,4) and (B,4), each (A,B)."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).prod(axis=1) for box in (a, b))
    return shared, area_a[:, None] + area_b - shared


def _searched_again(
    frames: Sequence[Frame], which: list[int], run_pass: RunPass, search_pass: SearchPass, floor: float
) -> Iterator[tuple[int, list[Face]]]:
    return zip(which, run_pass([frames[i] for i in which], search_pass, floor) if which else [], strict=True)


def _long_side(frame: Frame) -> int:
    return max(frame.width, frame.height)


def _may_hide_more(candidates: list[Face], frame: Frame, threshold: float) -> bool:
    scale = FIRST / _long_side(frame)
    return not _sure(candidates, threshold) or any(face.short_side * scale < SMALL for face in candidates)


def _sure(faces: list[Face], threshold: float) -> list[Face]:
    return sorted((face for face in faces if face.score >= threshold), key=lambda face: -face.score)


def _merged(first: list[Face], larger: list[Face], scale: float, *, exact: bool) -> list[Face]:
    """The faces of two looks, each from the one that sees it best: large faces in the first, others in the larger.

    scale: the first look's pixels over the picture's. exact: what both see comes from the larger. What lies within
    a large face is a part of it; what is small in the first look and not in the larger one is none.
    """
    big = [face for face in first if face.short_side * scale >= _BIG]
    if exact:
        big = _apart(big, larger)
    others = [face for face in first if SMALL <= face.short_side * scale < _BIG]
    kept = [*big, *_apart(larger, big, within=True)]
    return [*kept, *_apart(others, kept)]


def _apart(faces: list[Face], others: list[Face], *, within: bool = False) -> list[Face]:
    """Those of `faces` that are none of `others`; nor, where `within`, lie inside one."""
    if not faces or not others:
        return faces
    boxes = np.array([face.box for face in faces])
    shared, union = _shared(boxes, np.array([face.box for face in others]))
    inside = _INSIDE if within else np.inf
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)[:, None]
    same = np.greater(shared, np.minimum(_SAME * union, inside * area))
    return [face for face, taken in zip(faces, same.any(axis=1), strict=True) if not taken]
