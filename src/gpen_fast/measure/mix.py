"""Where the time of a mix of pictures goes: rows of pictures, and what stages cost by face and by megapixel."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import MixRow
from gpen_fast.measure.stats import DECIMALS, rounded
from gpen_fast.settings import STAGES


@dataclass(frozen=True)
class StageCost:
    """What a stage, or the whole, took of a mix."""

    name: str
    """The stage; `outside` for the time between them, `wall` for all of it."""
    total_ms: float
    """Of all counted runs."""
    per_picture_ms: float
    """Mean of a run."""
    per_face_ms: float | None
    """Of all runs over the faces in them; None without faces."""
    per_megapixel_ms: float | None
    """Of all runs over their pixels, in millions; None without a picture."""


def mix_row(
    path: Path,
    size: tuple[int, int],
    faces: int,
    first_ms: float | None,
    wall_ms: Sequence[float],
    stages_ms: Sequence[Mapping[str, float]],
) -> MixRow:
    """A picture's row.

    Args:
        path: The picture.
        size: Its width and height, pixels.
        faces: Faces restored in it.
        first_ms: Its very first run, milliseconds.
        wall_ms: Its counted runs.
        stages_ms: Host milliseconds by stage of each of them.
    """
    width, height = size
    called = [stage for stage in STAGES if any(stage in each for each in stages_ms)]
    return MixRow(
        path=str(path),
        width=width,
        height=height,
        megapixels=round(width * height / 1e6, DECIMALS),
        faces=faces,
        runs=len(wall_ms),
        first_ms=rounded(first_ms),
        wall_ms=round(statistics.median(wall_ms), DECIMALS),
        stages_ms={
            stage: round(statistics.median(each.get(stage, 0.0) for each in stages_ms), DECIMALS)
            for stage in called
        },
    )


def stage_costs(report: Report) -> list[StageCost]:
    """The stages that were called, the time outside them, and the wall time: the last row is the sum of the others.

    Each is divided by the runs, by the faces and by the megapixels in them. A stage whose time does not depend on one
    of these has no use for that figure: load, detect and save depend on the pixels, generate on the faces.

    Args:
        report: Of a profile of several pictures.
    """
    runs = sum(row.runs for row in report.mix)
    outside = (report.unaccounted_ms or 0.0) * runs
    totals = [(row.name, row.total_ms or 0.0) for row in report.stages if row.count] + [("outside", outside)]
    totals.append(("wall", sum(ms for _, ms in totals)))
    faces = sum(row.faces * row.runs for row in report.mix)
    pixels = sum(row.megapixels * row.runs for row in report.mix)
    return [
        StageCost(name, ms, ms / runs, ms / faces if faces else None, ms / pixels if pixels else None)
        for name, ms in totals
        if runs
    ]
