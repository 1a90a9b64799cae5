"""What `profile` prints of several pictures: what each stage costs, and the pictures that took longest."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpen_fast.cli.names import shown
from gpen_fast.measure.mix import StageCost, stage_costs
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import MixRow

# Pictures that are printed; the JSON has all.
_MOST_PICTURES = 10
# Stages whose time depends on the faces, and those whose time depends on the pixels.
_BY_FACES = frozenset({"align", "crop", "generate", "paste"})
_BY_PIXELS = frozenset({"load", "detect", "save"})


def print_mix(console: Console, report: Report) -> None:
    """Prints the tables of a profile of several pictures, and how they were measured."""
    console.print(cost_table(report))
    runs = "1 pass" if report.runs == 1 else f"{report.runs} passes"
    faces, pixels = sum(row.faces for row in report.mix), sum(row.megapixels for row in report.mix)
    pictures, with_faces = _count(len(report.mix), "picture"), _count(faces, "face")
    console.print(
        f"{runs} over {pictures} with {with_faces} and {pixels:.1f} megapixels, after "
        f"{report.warmup} warm-up; columns add up to the wall time"
    )
    console.print(picture_table(report))
    if len(report.mix) > _MOST_PICTURES:
        console.print(f"the slowest {_MOST_PICTURES} of {len(report.mix)} pictures: --json names all")
    _print_start(console, report)


def cost_table(report: Report) -> Table:
    """One row for each stage: a picture's mean, and what a face or a megapixel takes where the stage depends on it."""
    table = _table("stage", ["ms a picture", "ms a face", "ms a megapixel", "share"])
    costs = stage_costs(report)
    whole = costs[-1].total_ms
    for cost in costs:
        table.add_row(
            cost.name,
            f"{cost.per_picture_ms:.2f}",
            _figure(cost.per_face_ms) if _depends(cost, _BY_FACES) else "",
            _figure(cost.per_megapixel_ms) if _depends(cost, _BY_PIXELS) else "",
            f"{cost.total_ms / whole:.1%}" if whole else "",
        )
    return table


def picture_table(report: Report) -> Table:
    """The pictures that took longest, with the stage that took most of it. Names are not cut."""
    table = _table("ms", ["first ms", "megapixels", "faces", "most in"])
    table.add_column("picture", overflow="fold")
    for row in sorted(report.mix, key=lambda row: -row.wall_ms)[:_MOST_PICTURES]:
        table.add_row(
            f"{row.wall_ms:.2f}", _figure(row.first_ms), f"{row.megapixels:.2f}", str(row.faces), _most(row),
            escape(shown(Path(row.path))),
        )  # fmt: skip
    return table


def _print_start(console: Console, report: Report) -> None:
    """Model load, the first result and the steady state, each apart."""
    wall, load_ms = report.wall_ms, report.model_load_ms
    assert wall is not None, "a profile has a wall time"
    load = "" if load_ms is None else f"model load {load_ms:.0f} ms + "
    total = "" if report.first_result_ms is None else f"{report.first_result_ms:.0f} ms = "
    console.print(f"time to the first result: {total}{load}first picture {report.first_call_ms or 0:.0f} ms")
    console.print(
        f"steady state: {wall.mean:.2f} ms a picture (median {wall.median:.2f}, p95 {wall.p95:.2f})"
    )


def _table(first: str, names: list[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, style="cyan", justify="left" if first == "stage" else "right")
    for name in names:
        table.add_column(name, justify="left" if name == "most in" else "right", no_wrap=True)
    return table


def _depends(cost: StageCost, stages: frozenset[str]) -> bool:
    return cost.name in stages or cost.name == "wall"


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _most(row: MixRow) -> str:
    if not row.stages_ms:
        return "-"
    stage = max(row.stages_ms, key=lambda name: row.stages_ms[name])
    return f"{stage} {row.stages_ms[stage] / row.wall_ms:.0%}" if row.wall_ms else stage
