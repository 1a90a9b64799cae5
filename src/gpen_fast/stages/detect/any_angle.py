"""Faces that lie on their side or upside down, for any detector.

Detectors are trained on upright faces. On a turned one they find nothing, or worse: a face whose eyes are where the
mouth is. So the embedded landmark network, which knows how an upright face looks, checks the largest faces that a
detector finds. Where it confirms none, the embedded detector searches a small copy of the picture in four turns. The
faces that it finds there have landmarks: alignment turns them upright, and pasting turns them back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gpen_fast import plugins
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.stages.detect.around import DetectorAround
from gpen_fast.stages.detect.base import Detector, find_all, open_detector
from gpen_fast.stages.detect.lite import EMBEDDED, LiteDetector
from gpen_fast.stages.detect.lite import create as open_lite
from gpen_fast.store.locate import present
from gpen_fast.types import Face, Frame

# The most that a confirmed face's landmarks may be off, as a share of the eye distance: a detector's own landmarks, and
# the usual places in its box. Of 119 faces that RetinaFace and YuNet found the wrong way round, none was confirmed
# within 0.2 and two within 0.3; of 88 right ones, all within 0.3.
_NEAR, _NEAR_IN_BOX = 0.25, 0.5
# The largest faces are checked, at most so many: in a group of upright people one of them is confirmed.
_CHECKED = 3
# Boxes whose intersection is more than this share of the smaller one are of one face.
_SAME_FACE = 0.4


class AnyAngleDetector(DetectorAround):
    """A detector, and behind it the search for turned faces.

    Args:
        detector: What detects upright faces.
        lite: The embedded detector.
    """

    def __init__(self, detector: Detector, lite: LiteDetector) -> None:
        super().__init__(detector)
        self._lite = lite

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Detects the faces of each picture, best first."""
        found = find_all(self._detector, frames)
        return [self._checked(frame, faces) for frame, faces in zip(frames, found, strict=True)]

    def _checked(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """The faces, or where none of them is upright, those that the search in four turns finds in their places."""
        if self._any_upright(frame, faces):
            return faces
        turned = self._lite.at_any_angle(frame)
        kept = [face for face in faces if not any(_overlap(face, other) > _SAME_FACE for other in turned)]
        return sorted([*turned, *kept], key=lambda face: -face.score)

    def _any_upright(self, frame: Frame, faces: list[Face]) -> bool:
        if isinstance(self._detector, LiteDetector):
            return bool(faces)  # it has confirmed them itself
        largest = sorted(faces, key=lambda face: -face.area)[:_CHECKED]
        return any(self._is_upright(frame, face) for face in largest)

    def _is_upright(self, frame: Frame, face: Face) -> bool:
        if face.landmarks is not None:
            return self._lite.confirms(frame, face.landmarks, _NEAR)
        x0, y0, x1, y1 = face.box
        return self._lite.confirms(frame, (x0, y0) + self.box_points * (x1 - x0, y1 - y0), _NEAR_IN_BOX)


def open_any_angle(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> Detector:
    """Opens the detector that the options name, with the search for turned faces where they or its facts ask for it.

    Args:
        options, weights, device, precision: As in `open_detector`.

    Raises:
        GpenError: As `open_detector` does.
    """
    detector = open_detector(options, weights, device, precision)
    known = plugins.facts("detect").get(detector.name)
    wanted = options.any_angle
    if wanted is None:
        # What the user did not ask for must not fail for lack of the embedded networks.
        wanted = known is not None and known.any_angle and all(present(one, weights) for one in EMBEDDED)
    if not wanted:
        return detector
    if isinstance(detector, LiteDetector):
        return AnyAngleDetector(detector, detector)
    # The user's size and threshold are meant for the detector that was named.
    return AnyAngleDetector(detector, open_lite(DetectOptions("lite"), weights, device, precision))


def _overlap(face: Face, other: Face) -> float:
    """The area that two boxes share, as a part of the smaller one's."""
    low, high = np.maximum(face.box[:2], other.box[:2]), np.minimum(face.box[2:], other.box[2:])
    return float((high - low).clip(0).prod() / max(min(face.area, other.area), 1e-9))
