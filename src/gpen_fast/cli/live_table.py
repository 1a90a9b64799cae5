"""What a live run ends with: the stages, frames, latencies, quality steps, and the verdict."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpen_fast.cli.failures import print_failure, print_notes
from gpen_fast.cli.stage_table import enhance_table
from gpen_fast.measure.published import PUBLISHED_SWEEP, SWEEP_SOURCE
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import LiveFigures

_COLOURS = {"live": "green", "borderline": "yellow", "offline": "red"}


def print_live(report: Report, quiet: bool, *, published: bool = False) -> None:
    """Prints the table of a live run and its verdict; only failures and notes if `quiet`.

    Args:
        report: The run.
        quiet: The user gave --quiet.
        published: Prints the published figures beside them.
    """
    console = Console(highlight=False)
    if not quiet and report.live:
        if any(row.count for row in report.stages):
            console.print(enhance_table(report))
        device = report.device.name if report.device else "-"
        console.print(f"{device} | {report.setting('model')} | detector {report.setting('detector')}")
        if report.network_note:
            console.print(f"[yellow]{report.network_note}[/]")
        _print_figures(console, report, report.live)
        if published:
            console.print(published_line())
        console.print(f"[{_COLOURS[report.verdict or 'offline']}]{escape(report.live.verdict)}[/]")
    for failed in report.failed:
        print_failure(failed.path, failed.error)
    print_notes(report.notes)


def _print_figures(console: Console, report: Report, figures: LiveFigures) -> None:
    whole = figures.delivered + figures.dropped
    dropped = f"{figures.dropped} dropped ({100 * figures.dropped / max(1, whole):.1f} %)"
    fps = f"; {figures.fps:.1f} a second of {figures.target_fps:g}" if figures.fps else ""
    console.print(f"frames: {figures.delivered} delivered, {dropped}, {figures.duration_s:.1f} s{fps}")
    if latency := figures.latency_ms:
        console.print(
            f"latency: p50 {latency.p50:.0f} ms, p95 {latency.p95:.0f}, p99 {latency.p99:.0f}, "
            f"max {latency.max:.0f}; {figures.max_latency_ms:g} allowed"
        )
    if figures.steps:
        console.print(_steps_table(figures))
    kept = f", {report.faces_kept} left as found" if report.faces_kept else ""
    left_out = f", {report.faces_left_out} left out" if report.faces_left_out else ""
    console.print(
        f"faces: {report.faces - report.faces_kept} restored{kept}{left_out}; tracks: {figures.tracks}"
    )


def _steps_table(figures: LiveFigures) -> Table:
    """The seconds on each quality step."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("quality step", style="cyan")
    for name in ("seconds", "share"):
        table.add_column(name, justify="right")
    whole = sum(figures.steps.values()) or 1.0
    for name, seconds in figures.steps.items():
        table.add_row(name, f"{seconds:.1f}", f"{100 * seconds / whole:.1f}%")
    return table


def published_line() -> str:
    """The figures that others published for a live run."""
    rates = [f"{size.fps:g} at {side}" for side, size in PUBLISHED_SWEEP.items() if size.fps is not None]
    return f"{SWEEP_SOURCE.sentence}; frames a second: {', '.join(rates)} pixels"
