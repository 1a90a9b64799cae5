"""How alike pictures are, as it is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpen_fast.cli.failures import error_console, print_failure
from gpen_fast.cli.names import shown
from gpen_fast.run.likeness_run import LikenessRow

# Columns and their decimals.
_FIGURES = {
    "psnr": ("PSNR dB", 2), "ssim": ("SSIM", 4), "lpips": ("LPIPS", 4),
    "niqe_a": ("NIQE A", 2), "niqe_b": ("NIQE B", 2),
}  # fmt: skip
# Which columns a missing metric leaves out.
_COLUMNS = {"niqe": ("niqe_a", "niqe_b"), "lpips": ("lpips",)}
_MOST_NOTES = 10


def print_likeness(
    rows: Sequence[LikenessRow],
    mean: Mapping[str, float | None],
    alone: Sequence[tuple[Path, str]],
    missing: Mapping[str, str],
) -> None:
    """Prints the table and its last row, the mean; then the pairs that failed, and why a column is absent.

    Args:
        rows: The pairs.
        mean: The means of the figures.
        alone: Pictures without a partner, each with a sentence.
        missing: Metrics that are not available, each with a sentence.
    """
    console = Console(highlight=False)
    absent = {column for metric in missing for column in _COLUMNS[metric]}
    columns = {name: shape for name, shape in _FIGURES.items() if name not in absent}
    good = [row for row in rows if not row.error]
    if good:
        console.print(_table(good, mean, columns))
    for why in missing.values():
        console.print(escape(why), soft_wrap=True)
    for row in [each for each in good if each.note][:_MOST_NOTES]:
        error_console().print(f"[yellow]note[/] {escape(shown(Path(row.b)))}: {escape(row.note)}")
    for row in rows:
        if row.error:
            print_failure(Path(row.b), f"not compared with {row.a}: {row.error}")
    for path, why in alone:
        print_failure(path, why)


def print_below(below: Sequence[str], least: float) -> None:
    """Names the pictures whose PSNR is below the least that was asked for."""
    listed = ", ".join(shown(Path(path)) for path in below)
    error_console().print(f"[red]below --min-psnr {least:g} dB[/]: {escape(listed)}")


def _table(
    rows: Sequence[LikenessRow], mean: Mapping[str, float | None], columns: Mapping[str, tuple[str, int]]
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("picture", style="cyan", overflow="fold")
    for heading, _ in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        cells = [_figure(getattr(row, name), decimals) for name, (_, decimals) in columns.items()]
        table.add_row(escape(shown(Path(row.b))), *(["identical", *cells[1:]] if row.identical else cells))
    if len(rows) > 1:
        table.add_row("mean", *(_figure(mean[name], decimals) for name, (_, decimals) in columns.items()))
        same = sum(row.identical for row in rows)
        if same:
            table.caption = f"The mean of the PSNR leaves out {same} identical."
            table.caption_justify = "left"
    return table


def _figure(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
