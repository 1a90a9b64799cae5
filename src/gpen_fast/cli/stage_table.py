"""The table of stages. Its rows add up: every call counts, and what is printed in the last row is the sum of the rows.

The JSON's summaries of `enhance` leave each stage's first call out; the table is made from the totals, which do not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.table import Table

from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import StageRow

# Characters of the bar of a stage that takes all of the time.
_BAR = 12
# Stages that take several pictures or faces in one call.
_MANY_IN_ONE = frozenset({"detect", "align", "crop", "generate", "paste"})
# Printed shares are tenths of a percent.
_WHOLE = 1000


def enhance_table(report: Report) -> Table:
    """The stages of a run, with the time of all calls and the mean of one."""
    on_device = any(row.device_total_ms is not None for row in report.stages)
    table = _table("calls", "total s", "ms a call", *(["device ms"] if on_device else []), "share")
    rows = [row for row in report.stages if not row.skipped]
    seconds = [round(_total_ms(row) / 1e3, 2) for row in rows]
    shares = iter(_printed_shares([_total_ms(row) for row in rows]))
    for row in report.stages:
        if row.skipped:
            table.add_row(row.name, "skipped")
            continue
        device = [_a_call(row.device_total_ms, row.count)] if on_device else []
        share = next(shares)
        table.add_row(
            row.name, _calls(row), f"{_total_ms(row) / 1e3:.2f}", _a_call(_total_ms(row), row.count),
            *device, _bar(share),
        )  # fmt: skip
    table.add_row("all", "", f"{sum(seconds):.2f}", "", *([""] if on_device else []), _bar(_WHOLE))
    return table


def profile_table(report: Report) -> Table:
    """The stages of one picture, the time outside them, and the wall time, each per run."""
    assert report.wall_ms is not None, "a profile has a wall time"
    runs = report.runs or 1
    on_device = any(row.device_ms is not None for row in report.stages)
    table = _table(*(["device ms"] if on_device else []), "mean ms", "median", "p95", "share")
    called = [row for row in report.stages if row.host_ms is not None and not row.skipped]
    means = [round(_total_ms(row) / runs, 2) for row in called]
    outside = round(report.unaccounted_ms or 0.0, 2)
    shares = _printed_shares([*(_total_ms(row) / runs for row in called), report.unaccounted_ms or 0.0])
    lines = dict(zip((row.name for row in called), zip(means, shares, strict=False), strict=True))
    empty = [""] if on_device else []
    for row in report.stages:
        if row.name not in lines or row.host_ms is None:
            table.add_row(row.name, "skipped" if row.skipped else "-")
            continue
        mean, share = lines[row.name]
        device = ["-" if row.device_ms is None else f"{row.device_ms.mean:.2f}"] if on_device else []
        table.add_row(
            row.name, *device, f"{mean:.2f}", f"{row.host_ms.median:.2f}", f"{row.host_ms.p95:.2f}",
            _bar(share),
        )  # fmt: skip
    table.add_row("outside", *empty, f"{outside:.2f}", "", "", _bar(shares[-1]))
    wall = report.wall_ms
    table.add_row(
        "wall", *empty, f"{sum(means) + outside:.2f}", f"{wall.median:.2f}", f"{wall.p95:.2f}", _bar(_WHOLE)
    )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("stage", style="cyan")
    for name in columns:
        table.add_column(name, justify="left" if name == "share" else "right", no_wrap=True)
    return table


def _total_ms(row: StageRow) -> float:
    """Wall time of all calls; of a report that does not hold it, the mean of a call times the calls."""
    if row.total_ms is not None:
        return row.total_ms
    return row.host_ms.mean * row.count if row.host_ms else 0.0


def _calls(row: StageRow) -> str:
    """The number of calls, and of the pictures or faces in them where that differs."""
    one_each = row.items == row.count or row.name not in _MANY_IN_ONE
    return str(row.count) if one_each else f"{row.items} in {row.count}"


def _a_call(total_ms: float | None, count: int) -> str:
    return "-" if total_ms is None or not count else f"{total_ms / count:.2f}"


def _printed_shares(times: Sequence[float]) -> list[int]:
    """Shares in tenths of a percent that add up to all: those cut off most are rounded up (largest remainder)."""
    whole = sum(times)
    if whole <= 0:
        return [0] * len(times)
    exact = [_WHOLE * time / whole for time in times]
    shares = [int(value // 1) for value in exact]
    most_cut = sorted(range(len(exact)), key=lambda at: exact[at] - shares[at], reverse=True)
    for at in most_cut[: _WHOLE - sum(shares)]:
        shares[at] += 1
    return shares


def _bar(share: int) -> str:
    block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    return f"{share / 10:5.1f}% " + block * round(share / _WHOLE * _BAR)
