"""What a detector is. One file beside this one adds one: it offers `create(settings, device)`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast import plugins
from gpen_fast.errors import WeightsNotFoundError
from gpen_fast.settings import Settings
from gpen_fast.store.locate import present, refused, required
from gpen_fast.types import Face, Frame

# In order of preference: what `auto` picks is the first whose weights are present. Those of `lite` are part of the
# package, and the last needs none.
AUTO = ("retinaface", "retinaface-mobile", "yunet", "lite", "haar")
EMBEDDED = "lite"

# Pixels of a face's side in the searched picture: below the one many are missed, from the other up hardly any.
_SEEN, _SURE = 12, 20


class Detector(Protocol):
    """Finds faces in a picture. Called from several threads when `on_host`."""

    @property
    def name(self) -> str:
        """Its plug-in's name."""

    @property
    def on_host(self) -> bool:
        """Whether it works in host memory, beside the device's work instead of in its queue."""

    @property
    def weights(self) -> Path | None:
        """The file that its network was read from, None for one without."""

    @property
    def box_points(self) -> NDArray[np.float64]:
        """(5,2): where the five landmarks lie on average in its boxes, 0..1 along their sides."""

    @property
    def threshold(self) -> float:
        """The score from which it calls something a face."""

    @property
    def bound(self) -> int | None:
        """The most pixels of a picture's long side that it looks at, None for all."""

    def __call__(self, frame: Frame) -> list[Face]:
        """The faces, best first."""


@runtime_checkable
class BatchDetector(Detector, Protocol):
    """A detector that is quicker with several pictures at once."""

    @property
    def batch_size(self) -> int:
        """How many at once are best."""

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """The faces of each picture, best first."""


def open_detector(settings: Settings, device: torch.device) -> Detector:
    """The detector that the settings name, `auto` resolved. Raises PluginError or what its weights raise."""
    name = pick(settings) if settings.detector == "auto" else settings.detector
    detector: Detector = plugins.load("detect", name).create(settings, device)
    return detector


def pick(settings: Settings) -> str:
    """What `auto` is: the best detector whose weights are present.

    Where there is none but a wrong file under the name of one, that is a HashError: not passed over in silence.
    """
    for name in AUTO:
        if name == EMBEDDED:
            _refuse_wrong_better(name, settings)
        if any(present(weights, settings.weights) for weights in weights_of(name)):
            return name
    return AUTO[-1]


def _refuse_wrong_better(name: str, settings: Settings) -> None:
    for better in AUTO[: AUTO.index(name)]:
        refuse_wrong(better, settings)


def weights_of(name: str) -> tuple[str, ...]:
    """The catalogued weights of a detector, any of which will do; none where it needs none."""
    return getattr(plugins.load("detect", name), "WEIGHTS", ())


def refuse_wrong(name: str, settings: Settings) -> None:
    """Raises HashError where a wrong file is all that a detector has; nothing where it has no file at all."""
    if not any(present(weights, settings.weights) for weights in weights_of(name)):
        for weights in weights_of(name):
            with suppress(WeightsNotFoundError):
                required(weights, settings.weights)


def passed_over(settings: Settings, picked: str) -> dict[str, Path]:
    """Files under the names of better detectors than the one that `auto` picked, which are wrong: by weights."""
    better = AUTO[: AUTO.index(picked)] if picked in AUTO else ()
    found = {weights: refused(weights, settings.weights) for name in better for weights in weights_of(name)}
    return {weights: path for weights, path in found.items() if path}


def find_all(detector: Detector, frames: Sequence[Frame]) -> list[list[Face]]:
    """The faces of each picture, in one call where the detector takes several."""
    if isinstance(detector, BatchDetector):
        return detector.many(frames)
    return [detector(frame) for frame in frames]


def batch_size(detector: Detector) -> int:
    """How many pictures `detector` is best given at once."""
    return detector.batch_size if isinstance(detector, BatchDetector) else 1


def missed_note(faces: Sequence[Face], frame: Frame, bound: int | None) -> str:
    """What to tell the user where faces may be too small to be found in a picture that was shrunk, else ""."""
    longest = max(frame.width, frame.height)
    if bound is None or longest <= bound or min(frame.width, frame.height) < _SEEN:
        return ""
    smallest = min((face.short_side for face in faces), default=0.0)
    if smallest * bound / longest >= _SURE:
        return ""
    return (
        f"searched at {bound} of {longest} pixels: faces below {_SEEN * longest / bound:.0f} may be missed. "
        "Try --detect-size full."
    )


def choose(faces: list[Face], frame: Frame, settings: Settings) -> list[Face]:
    """The faces that the settings let through: sure and large enough, and one only where they say so."""
    least = settings.detect_threshold or 0.0
    faces = [face for face in faces if face.score >= least and face.short_side >= settings.min_face]
    if not faces:
        return []
    if settings.only_largest:
        return [max(faces, key=lambda face: face.area)]
    if settings.only_center:
        return [min(faces, key=lambda face: _off_center(face, frame))]
    return faces


def _off_center(face: Face, frame: Frame) -> float:
    x, y = face.center
    return (x - frame.width / 2) ** 2 + (y - frame.height / 2) ** 2
