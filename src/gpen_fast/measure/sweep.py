"""The rows of `profile --sweep`: one picture of one face at several sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gpen_fast.measure.report_rows import StageRow
from gpen_fast.measure.stats import DECIMALS

# The parts of a picture's time -> their stages, as the published resolution table divides them, and what it leaves out.
PARTS: Mapping[str, tuple[str, ...]] = {
    "load": ("load",),
    "detect_align": ("detect", "align"),
    "crop": ("crop",),
    "network": ("generate",),
    "paste_save": ("paste", "save"),
}
# The time outside all stages.
OUTSIDE = "outside"


@dataclass(frozen=True)
class SweepRow:
    """One size of `profile --sweep`, measured in a process of its own."""

    size: int
    """Side of the picture and of the network's face, pixels."""
    model: str
    """The network; random:NAME where it has random weights."""
    mean_ms: float
    """Mean wall time of a picture, from file to file."""
    p50_ms: float
    """Its median."""
    p95_ms: float
    """Its 95th percentile."""
    fps: float
    """Pictures a second: the reciprocal of the mean."""
    shares: dict[str, float]
    """Shares of the wall time, 0 to 1, by part: load, detect_align, crop, network, paste_save, outside."""
    device_peak_bytes: int | None
    """Peak of the device memory that torch allocated; None on a CPU."""
    host_peak_bytes: int | None
    """Peak of the process's resident memory; None where the system does not report it."""
    model_load_ms: float | None
    """Time to find, check and load the weights; None for random ones, which are drawn instead."""
    verdict: Literal["live", "borderline", "offline"]
    """Whether the p95 suits --target-fps."""


def shares_of(stages: Sequence[StageRow]) -> dict[str, float]:
    """Shares of the wall time by part; they add up to 1.

    Args:
        stages: The stages of a profile, whose shares are those of its wall time.
    """
    by_stage = {row.name: row.share for row in stages}
    shares = {
        part: round(sum(by_stage.get(stage, 0.0) for stage in names), DECIMALS)
        for part, names in PARTS.items()
    }
    return {**shares, OUTSIDE: round(1 - sum(shares.values()), DECIMALS)}
