"""The tables of `profile --sweep`, within 80 columns. They show a Report and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpen_fast.cli.failures import error_console, print_failure
from gpen_fast.measure.published import (
    PUBLISHED_DEVICE_BYTES,
    PUBLISHED_HOST_BYTES,
    PUBLISHED_LOAD_MS,
    PUBLISHED_SWEEP,
    SWEEP_SOURCE,
)
from gpen_fast.measure.report import Report
from gpen_fast.measure.sweep import OUTSIDE, PARTS

_GB = 1e9
_WORDS = {"detect_align": "detect+align", "paste_save": "paste+save"}


def print_sweep(report: Report, *, published: bool) -> None:
    """Prints the times, the shares, what ran, and the sizes that failed.

    Args:
        report: The sweep's; sizes that an interrupt left out are missing.
        published: Prints the published figures beside one's own.
    """
    console = Console(highlight=False)
    if report.sweep:
        console.print(sizes_table(report))
        console.print(f"\nshares of the wall time{'' if published else '; outside: between the stages'}")
        console.print(shares_table(report, published=published))
        if published:
            _print_published(console, report)
        _print_what_ran(console, report)
    for failed in report.failed:
        print_failure(Path(failed.path), failed.error)
    if report.verdict == "interrupted":
        sizes = "1 size" if len(report.sweep) == 1 else f"{len(report.sweep)} sizes"
        error_console().print(f"interrupted: {sizes} measured")


def sizes_table(report: Report) -> Table:
    """Times, memory and verdict of each size."""
    on_device = any(row.device_peak_bytes is not None for row in report.sweep)
    memory = ["GPU GB"] if on_device else []
    table = _table("size", "mean ms", "p50", "p95", "fps", *memory, "RAM GB", "load s")
    table.add_column("verdict", no_wrap=True)
    for row in report.sweep:
        table.add_row(
            str(row.size), f"{row.mean_ms:.1f}", f"{row.p50_ms:.1f}", f"{row.p95_ms:.1f}", f"{row.fps:.2f}",
            *([_gb(row.device_peak_bytes)] if on_device else []), _gb(row.host_peak_bytes),
            _seconds(row.model_load_ms), row.verdict,
        )  # fmt: skip
    return table


def shares_table(report: Report, *, published: bool) -> Table:
    """Where each size's time goes, and, on request, the published shares below those of their size."""
    names = [*PARTS, OUTSIDE]
    table = _table("size", *(_WORDS.get(name, name) for name in names))
    for row in report.sweep:
        table.add_row(str(row.size), *_percents(row.shares, names))
        told = PUBLISHED_SWEEP.get(row.size)
        if published and told and told.shares:
            table.add_row("published", *_percents(told.shares, names))
    return table


def _print_published(console: Console, report: Report) -> None:
    """The published times beside one's own, and where they come from."""
    table = _table("size", "mean ms", "published ms", "faster", "fps", "published fps")
    for row in report.sweep:
        if told := PUBLISHED_SWEEP.get(row.size):
            least, fps = ">" if told.at_least else "", told.fps
            table.add_row(
                str(row.size), f"{row.mean_ms:.1f}", f"{least}{told.mean_ms:.1f}",
                f"{least}{told.mean_ms / row.mean_ms:.2f}x", f"{row.fps:.2f}",
                "-" if fps is None else f"{fps:.1f}",
            )  # fmt: skip
    console.print()
    console.print(table)
    console.print(escape(SWEEP_SOURCE.sentence))
    console.print(
        f"published at 512: GPU {_gb(PUBLISHED_DEVICE_BYTES)} GB, RAM {_gb(PUBLISHED_HOST_BYTES)} GB, "
        f"load {_seconds(PUBLISHED_LOAD_MS)} s"
    )


def _print_what_ran(console: Console, report: Report) -> None:
    device = report.device.name if report.device else "-"
    console.print(
        f"\n{escape(device)} | {report.setting('backend')} | detector {report.setting('detector')} | "
        f"{report.setting('precision')}"
    )
    console.print(f"{report.runs} runs of one aligned face after {report.warmup} warm-up; a process each")
    console.print(f"verdict: p95 against {1e3 / (report.target_fps or 1):.1f} ms ({report.target_fps:g} fps)")
    if random := [str(row.size) for row in report.sweep if row.model.startswith("random:")]:
        console.print(
            f"[bold yellow]random weights at {', '.join(random)}: timing only;[/] they are drawn, not loaded, "
            "and RAM counts that"
        )


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, style="cyan", no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _percents(shares: Mapping[str, float], names: list[str]) -> list[str]:
    return [f"{shares[name]:.1%}" if name in shares else "-" for name in names]


def _gb(size: float | None) -> str:
    return "-" if size is None else f"{size / _GB:.2f}"


def _seconds(ms: float | None) -> str:
    return "-" if ms is None else f"{ms / 1e3:.2f}"
