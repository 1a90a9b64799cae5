"""The interface of a detector, the choice of one, and the choice among its faces.

A file beside this one adds a detector: it declares FACTS (see `gpen_fast.plugins`) and defines
`create(options, weights, device, precision) -> Detector`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast import plugins
from gpen_fast.errors import WeightsNotFoundError
from gpen_fast.settings import DetectOptions, PrecisionName, WeightsOptions
from gpen_fast.store.catalog import entry
from gpen_fast.store.locate import present, refused, required
from gpen_fast.types import Face, Frame

# Pixels of a face's shorter side at the size that a detector works at: below the first it misses many faces, from the
# second up hardly any.
_VISIBLE, _CERTAIN = 12, 20
# Pixels of the picture. A missed face from this shorter side up is worth a note even where large faces were found: it
# is a quarter of the smallest network's input.
_WORTH_NOTE = 64


class Detector(Protocol):
    """Finds faces in a picture. Where `on_host` is set, several threads call it at once."""

    @property
    def name(self) -> str:
        """Its plug-in's name."""

    @property
    def on_host(self) -> bool:
        """Whether it works in host memory, beside the device's work instead of in its queue."""

    @property
    def weights(self) -> Path | None:
        """The file that its network was read from; None: it has no network."""

    @property
    def box_points(self) -> NDArray[np.float64]:
        """(5,2): the mean positions of the five landmarks in its boxes, 0..1 along the box's sides."""

    @property
    def threshold(self) -> float:
        """The least score of a detection that counts as a face, 0..1."""

    @property
    def bound(self) -> int | None:
        """The most pixels that it examines along a picture's long side; None: all of them."""

    def __call__(self, frame: Frame) -> list[Face]:
        """Detects the faces of a picture, best first."""


@runtime_checkable
class BatchDetector(Detector, Protocol):
    """A detector that is faster with several pictures in one call."""

    @property
    def batch_size(self) -> int:
        """The number of pictures per call at which it is fastest."""

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Detects the faces of each picture, best first."""


def open_detector(
    options: DetectOptions, weights: WeightsOptions, device: torch.device, precision: PrecisionName
) -> Detector:
    """Opens the detector that the options name.

    Args:
        options: Its name, `auto` or a plug-in's; its size and threshold.
        weights: Where weights files are searched.
        device: Where it runs, unless its facts say that it works on the host.
        precision: The user's choice for the whole run; detectors on a GPU follow it.

    Returns:
        The detector, its network loaded.

    Raises:
        PluginError: There is no such plug-in, or it lacks a package.
        WeightsNotFoundError: Its weights are absent.
        HashError: Its weights file is neither the published one nor one that the user accepted.
        CheckpointError: Its weights file cannot be read.
    """
    name = pick_detector(weights) if options.detector == "auto" else options.detector
    create = plugins.load_plugin("detect", name).create
    detector: Detector = create(options, weights, device, precision)
    return detector


def pick_detector(weights: WeightsOptions) -> str:
    """Resolves `auto`: the best detector whose weights are present, or that needs none.

    Raises:
        HashError: A better detector than those that need no download has a wrong file and no right one. The user meant
            that file to be used, so it is not skipped silently.
    """
    candidates = plugins.automatic("detect")
    for place, name in enumerate(candidates):
        if is_fallback(name):
            for better in candidates[:place]:
                if not is_fallback(better):
                    refuse_wrong_weights(better, weights)
        wanted = plugins.facts("detect")[name].weights
        if not wanted or any(present(one, weights) for one in wanted):
            return name
    return candidates[-1]  # opening it raises the error that names its weights


def is_fallback(name: str) -> bool:
    """Whether `auto` can always pick this detector, because it needs no download: better ones may exist."""
    known = plugins.facts("detect").get(name)
    return known is not None and known.rank is not None and all(entry(one).embedded for one in known.weights)


def refuse_wrong_weights(name: str, weights: WeightsOptions) -> None:
    """Raises HashError where wrong files are all that a detector has; absent ones pass. PluginError for no detector."""
    plugins.check_name("detect", name)
    wanted = plugins.facts("detect")[name].weights
    if not any(present(one, weights) for one in wanted):
        for one in wanted:
            with suppress(WeightsNotFoundError):
                required(one, weights)


def passed_over(weights: WeightsOptions, picked: str) -> dict[str, Path]:
    """The wrong files of detectors better than the one that `auto` picked, by the name of the weights."""
    candidates = plugins.automatic("detect")
    better = candidates[: candidates.index(picked)] if picked in candidates else ()
    wanted = [one for name in better for one in plugins.facts("detect")[name].weights]
    return {one: path for one in wanted if (path := refused(one, weights))}


def find_all(detector: Detector, frames: Sequence[Frame]) -> list[list[Face]]:
    """Detects the faces of each picture, in one call where the detector takes several."""
    if isinstance(detector, BatchDetector):
        return detector.many(frames)
    return [detector(frame) for frame in frames]


def batch_size(detector: Detector) -> int:
    """The number of pictures per call at which `detector` is fastest."""
    return detector.batch_size if isinstance(detector, BatchDetector) else 1


def missed_note(faces: Sequence[Face], frame: Frame, bound: int | None) -> str:
    """Tells the user where a shrunk picture may hide faces from the detector.

    Args:
        faces: What the detector found.
        frame: The picture.
        bound: The detector's `bound`.

    Returns:
        The note; empty where the picture was not shrunk, or where even its smallest face was large enough to be certain
        that smaller ones would have been found, unless the picture is so large that a face of 64 pixels may be missed.
    """
    longest = max(frame.width, frame.height)
    if bound is None or longest <= bound or min(frame.width, frame.height) < _VISIBLE:
        return ""
    smallest = min((face.short_side for face in faces), default=0.0)
    missed = _VISIBLE * longest / bound
    if smallest * bound / longest >= _CERTAIN and missed <= _WORTH_NOTE:
        return ""
    return (
        f"faces were detected at {bound} of {longest} pixels: those below {missed:.0f} pixels may "
        "be missed. Try --detect-size full."
    )


def too_large_note(faces: Sequence[Face], options: DetectOptions) -> str:
    """Tells the user how many faces `max_face` leaves alone; empty where it leaves none."""
    least, most = options.detect_threshold or 0.0, options.max_face
    large = 0 if most is None else sum(face.score >= least and face.short_side > most for face in faces)
    if not large:
        return ""
    number = "1 face is" if large == 1 else f"{large} faces are"
    return f"{number} larger than --max-face {most} pixels and left alone."


def select_faces(faces: list[Face], frame: Frame, options: DetectOptions) -> list[Face]:
    """The faces to restore: those that reach the threshold and the least size; one only where the options say so."""
    least = options.detect_threshold or 0.0
    most = math.inf if options.max_face is None else options.max_face
    faces = [face for face in faces if face.score >= least and options.min_face <= face.short_side <= most]
    if not faces:
        return []
    if options.only_largest:
        return [max(faces, key=lambda face: face.area)]
    if options.only_center:
        return [min(faces, key=lambda face: _off_center(face, frame))]
    return faces


def _off_center(face: Face, frame: Frame) -> float:
    """The squared distance, in pixels, of a face's centre from the picture's."""
    x, y = face.center
    return (x - frame.width / 2) ** 2 + (y - frame.height / 2) ** 2
