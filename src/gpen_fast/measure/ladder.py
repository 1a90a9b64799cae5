"""The rows of `profile --ladder`: what each change of the way of restoring gains, and what it costs in likeness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gpen_fast.measure.stats import DECIMALS

# A row whose pictures are less like the baseline's than this, in dB, loses quality. At 45 dB the error's root mean
# square is 1.4 grey levels of 255.
ENOUGH_DB = 45.0


@dataclass(frozen=True)
class LadderRow:
    """One row of `profile --ladder`. A value that is None was not measured: the note says why."""

    name: str
    """What the row changes; the changes of the rows above it stay."""
    ms: float | None
    """Wall time of one picture: the median of the repeats."""
    speedup: float | None
    """The baseline's time divided by this row's."""
    device_memory_saved: float | None
    """Share of the baseline's peak of device memory that this row does without, negative if it takes more; None on a
    CPU."""
    psnr: float | None
    """Likeness to the baseline's picture, dB, of the picture that differs most; None also where all are equal."""
    ssim: float | None
    """Structural similarity to the baseline's picture, of the picture that differs most; 1 for equal pictures."""
    note: str
    """What the row is, what it loses, or why it was not measured; empty where there is nothing to say."""

    @property
    def loses_quality(self) -> bool:
        """Whether the pictures differ from the baseline's more than a row may without a mark."""
        return self.psnr is not None and self.psnr < ENOUGH_DB


@dataclass(frozen=True)
class RowTimes:
    """What was measured of one row."""

    ms: float
    """Median wall time of one picture, milliseconds."""
    device_bytes: int | None
    """Peak of device memory; None on a CPU."""


def skipped_row(name: str, why: str) -> LadderRow:
    """A row that was not measured.

    Args:
        name: The row.
        why: The reason, as a sentence without its full stop.
    """
    return LadderRow(name, None, None, None, None, None, f"not measured: {why}")


def ladder_row(
    name: str,
    times: RowTimes,
    baseline: RowTimes,
    likeness: Sequence[tuple[float, float]],
    notes: Sequence[str],
) -> LadderRow:
    """A row that was measured, its figures rounded.

    Args:
        name: The row.
        times: Its own times.
        baseline: Those of the first row.
        likeness: PSNR in dB, infinite for equal pictures, and SSIM of each picture; empty if they tell nothing.
        notes: What else is to be said, each without its full stop.
    """
    psnr = min((db for db, _ in likeness), default=math.inf)
    ssim = min((similarity for _, similarity in likeness), default=None)
    loses = [f"loses quality: {psnr:.2f} dB is below {ENOUGH_DB:g} dB"] if psnr < ENOUGH_DB else []
    saved = None
    if times.device_bytes is not None and baseline.device_bytes:
        saved = round(1 - times.device_bytes / baseline.device_bytes, DECIMALS)
    return LadderRow(
        name,
        round(times.ms, DECIMALS),
        round(baseline.ms / times.ms, DECIMALS),
        saved,
        None if math.isinf(psnr) else round(psnr, DECIMALS),
        None if ssim is None else round(ssim, DECIMALS),
        "; ".join([*loses, *notes]),
    )


def advice_of(rows: Sequence[LadderRow]) -> list[str]:
    """Which row is the fastest of those that lose no quality; empty where none was measured beside the baseline."""
    kept = [
        row for row in rows[1:] if row.speedup is not None and row.ssim is not None and not row.loses_quality
    ]
    if not kept:
        return []
    best = max(kept, key=lambda row: row.speedup or 0.0)
    return [
        f"the fastest row within {ENOUGH_DB:g} dB of the baseline is {best.name}: {best.speedup:.1f} times as fast."
    ]
