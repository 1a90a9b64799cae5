"""The rows of `profile --ladder` as data: what each changes, and what it needs.

A row is one entry of LADDER_STEPS. The rows are those of the published ladder (measure/published.py) and of what was
proposed beside it, in that order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch

from gpen_fast.device.precision import pick_precision
from gpen_fast.settings import PrecisionName

Encoder = Literal["opencv", "host", "device"]
Overlap = Literal["none", "save", "all"]
LandmarkSource = Literal["searched", "cached", "aligned"]
NetworkChoice = Literal["own", "256"]

# The detectors that find faces without a large network; the first is what the row "light detector" runs.
LIGHT_DETECTORS = ("lite", "yunet", "haar", "yoloface")


@dataclass(frozen=True)
class LadderWay:
    """How the pictures of one row are restored and written."""

    detector: str
    """The detector's name."""

    precision: PrecisionName = "fp32"
    """Arithmetic of the network, and of a detector on the device."""

    backend: str = "eager"
    """How the network runs."""

    batch_size: int = 1
    """Faces per network call, at most."""

    graphs: bool = False
    """The folded network's calls are replayed as CUDA graphs."""

    network: NetworkChoice = "own"
    """own: the network of the whole ladder. 256: the best one for faces of 256 pixels."""

    landmarks: LandmarkSource = "searched"
    """Where a face's place comes from: a search, a file of earlier detections, or the picture itself, which is one
    aligned face."""

    encoder: Encoder = "opencv"
    """What makes the PNG: cv2.imwrite, this package's encoder on the host, or that on the device."""

    overlap: Overlap = "none"
    """What runs beside the work on other pictures: nothing, the saving, or loading ahead and saving."""

    @property
    def least_pictures(self) -> int:
        """Pictures in one timed pass, at least: as many as the overlap and the batch need to show."""
        return {"none": 1, "save": 4, "all": 8}[self.overlap]


@dataclass(frozen=True)
class LadderStep:
    """One row."""

    name: str
    """Its name in the table and in the JSON."""

    change: Callable[[LadderWay], LadderWay] = lambda way: way
    """What it changes of the row above."""

    refuses: Callable[[LadderWay, torch.device], str] = lambda way, device: ""
    """Why it cannot run after that row on this device, without a full stop; empty where it can."""


def _needs_cuda(what: str) -> Callable[[LadderWay, torch.device], str]:
    return lambda way, device: (
        "" if device.type == "cuda" else f"{what} on CUDA only, and this runs on {device}"
    )


def _no_half(way: LadderWay, device: torch.device) -> str:
    half = pick_precision("half", device)
    return (
        "this CPU does not multiply bf16 natively: half precision would be slower"
        if half.name == "fp32"
        else ""
    )


def _light_already(way: LadderWay, device: torch.device) -> str:
    if way.detector not in LIGHT_DETECTORS:
        return ""
    return f"the baseline's detector, {way.detector}, is a light one: no heavier one's weights are present"


LADDER_STEPS = (
    LadderStep("baseline"),
    LadderStep("half precision", lambda way: replace(way, precision="half"), _no_half),
    LadderStep("fast PNG", lambda way: replace(way, encoder="host")),
    LadderStep(
        "PNG on the GPU",
        lambda way: replace(way, encoder="device"),
        _needs_cuda("PNG is encoded on the device"),
    ),
    LadderStep("asynchronous save", lambda way: replace(way, overlap="save")),
    LadderStep("light detector", lambda way: replace(way, detector=LIGHT_DETECTORS[0]), _light_already),
    LadderStep("cached landmarks", lambda way: replace(way, landmarks="cached")),
    LadderStep("skip detect", lambda way: replace(way, landmarks="aligned")),
    LadderStep("preload and batch 8", lambda way: replace(way, overlap="all", batch_size=8)),
    LadderStep("folded network", lambda way: replace(way, backend="folded")),
    LadderStep(
        "CUDA graphs",
        lambda way: replace(way, graphs=True),
        _needs_cuda("the network is captured as a graph"),
    ),
    LadderStep("ROI at 256, blended", lambda way: replace(way, network="256", landmarks="cached")),
)
