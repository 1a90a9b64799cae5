"""The table of `profile --ladder`, within 80 columns. It shows a Report and nothing else."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpen_fast.cli.failures import error_console
from gpen_fast.cli.what_ran import print_network
from gpen_fast.measure.ladder import ENOUGH_DB, LadderRow
from gpen_fast.measure.published import LADDER_SOURCE, PUBLISHED_LADDER
from gpen_fast.measure.report import Report


def print_ladder(report: Report, *, published: bool) -> None:
    """Prints the rows, how to read them, what ran, and a note for each row that has one.

    Args:
        report: The ladder's; rows that an interrupt left out are missing.
        published: Prints the published figures beside one's own.
    """
    console = Console(highlight=False)
    if report.ladder:
        console.print(ladder_table(report, published=published))
        console.print("ms: of one picture; each row keeps the changes of those above it")
        console.print("PSNR, SSIM: of the picture that differs most from the baseline's")
        if any(row.loses_quality for row in report.ladder):
            console.print(f"[red]! loses quality:[/] below {ENOUGH_DB:g} dB")
        if published:
            console.print(escape(LADDER_SOURCE.sentence))
            console.print(
                "the published figures do not agree with one another: compare the order of the rows"
            )
        print_network(console, report)
        for row in report.ladder:
            if row.note:
                console.print(f"[cyan]{row.name}:[/] {escape(row.note)}")
    for line in report.advice:
        console.print(line)
    if report.verdict == "interrupted":
        error_console().print(f"interrupted: {_count(len(report.ladder), 'row')} measured or passed over")


def ladder_table(report: Report, *, published: bool) -> Table:
    """One line for each row; without the column of device memory on a CPU."""
    on_device = any(row.device_memory_saved is not None for row in report.ladder)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("row", style="cyan", no_wrap=True)
    memory, others = ["memory"] if on_device else [], ["published"] if published else []
    for name in ("ms", "faster", *memory, "PSNR dB", "SSIM", *others):
        table.add_column(name, justify="right", no_wrap=True)
    for number, row in enumerate(report.ladder):
        cells = [
            _time(row),
            _times(row.speedup),
            *([_saved(row)] if on_device else []),
            _psnr(row),
            _ssim(row),
        ]
        table.add_row("+ " * (number > 0) + row.name, *cells, *([_published(row)] if published else []))
    return table


def _time(row: LadderRow) -> str:
    return "-" if row.ms is None else f"{row.ms:.1f}"


def _times(speedup: float | None) -> str:
    return "-" if speedup is None else f"{speedup:.2f}x"


def _saved(row: LadderRow) -> str:
    return "-" if row.device_memory_saved is None else f"{0 - row.device_memory_saved:+.0%}"


def _psnr(row: LadderRow) -> str:
    if row.psnr is None:
        return "equal" if row.ssim == 1.0 else "-"
    return f"[red]! {row.psnr:.1f}[/]" if row.loses_quality else f"{row.psnr:.1f}"


def _ssim(row: LadderRow) -> str:
    return "-" if row.ssim is None else f"{row.ssim:.4f}"


def _published(row: LadderRow) -> str:
    """The published time, and how many times faster than the published baseline that is."""
    told = PUBLISHED_LADDER.get(row.name)
    if told is None:
        return "-"
    return f"{told.ms:.1f} {PUBLISHED_LADDER['baseline'].ms / told.ms:.2f}x"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
