"""A comparison of two sides as it is printed."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpen_fast.measure.compare import Comparison
from gpen_fast.measure.comparison_text import HEADINGS, comparison_cells, comparison_sentences

_STYLES = {"slower": "yellow", "faster": "green", "not_judged": "dim"}


def print_comparison(made: Comparison) -> None:
    """Prints the table and its sentences on standard output."""
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in HEADINGS:
        table.add_column(
            name, justify="left" if name in ("stage", "between", "verdict") else "right", no_wrap=True
        )
    bad = {row.stage for row in made.regressions}
    for row in made.rows:
        style = "bold red" if row.stage in bad else _STYLES.get(row.verdict, "")
        table.add_row(*comparison_cells(row), style=style)
    console.print(table)
    for sentence in comparison_sentences(made):
        console.print(escape(sentence))
