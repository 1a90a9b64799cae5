"""Figures that others published, to be shown beside one's own.

The ladder's rows and the stage table that goes with it do not agree with each other (half precision saves 207 ms in the
one and 84 in the other): compare the order of the rows, not single figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedSource:
    """Where figures come from."""

    title: str
    """What was published."""

    device: str
    """What ran it."""

    method: str
    """What was timed, and how."""

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return f"published: {self.title}, {self.device}; {self.method}"


@dataclass(frozen=True)
class PublishedRow:
    """One row of the published ladder."""

    ms: float
    """Milliseconds of one picture."""

    memory_saved: float | None = None
    """Share of the baseline's device memory; None where none was published."""


@dataclass(frozen=True)
class PublishedSize:
    """One row of the published resolution table."""

    mean_ms: float
    """Mean milliseconds of one picture; for 2048 pixels only "more than 1000" was published."""

    fps: float | None
    """Frames a second; None where none was published."""

    shares: Mapping[str, float] | None = None
    """Shares of the time by part, under the names of `measure.sweep.PARTS`; None where none were published."""

    at_least: bool = False
    """Only a lower bound was published."""


LADDER_SOURCE = PublishedSource(
    "optimisation ladder of GPEN-512",
    "RTX 4090, PyTorch 2.5, CUDA 12.4",
    "one 512x512 JPEG, torch.cuda.Event",
)
# Row of `profile --ladder` -> what was published for it. The other rows were proposed there without a time.
PUBLISHED_LADDER: Mapping[str, PublishedRow] = {
    "baseline": PublishedRow(828.4),
    "half precision": PublishedRow(621.7, 0.35),
    "asynchronous save": PublishedRow(472.3),
    "skip detect": PublishedRow(321.5),
    "preload and batch 8": PublishedRow(218.6, 0.42),
}

SWEEP_SOURCE = PublishedSource(
    "real-time test of GPEN",
    "A10G 24 GB",
    "mean of 10 runs; its verdict: not usable live",
)
# Side in pixels -> what was published for it.
PUBLISHED_SWEEP: Mapping[int, PublishedSize] = {
    256: PublishedSize(48.3, 20.7),
    # Its four parts: detect and align; tiling and preprocessing; generator; post-processing and fusion.
    512: PublishedSize(
        136.5, 7.3, {"detect_align": 0.208, "crop": 0.111, "network": 0.601, "paste_save": 0.079}
    ),
    1024: PublishedSize(421.8, 2.4),
    2048: PublishedSize(1000.0, None, at_least=True),
}
# Of its run at 512 pixels: bytes of device memory and of RAM, and milliseconds to load the model.
PUBLISHED_DEVICE_BYTES, PUBLISHED_HOST_BYTES, PUBLISHED_LOAD_MS = 6.8e9, 4.2e9, 3200.0
