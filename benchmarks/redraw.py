"""Draws the tables of the pages, and the plot, from the committed results.

A table stands between `<!-- table NAME -->` and `<!-- end -->`. Between them nothing is written by hand: what a table
leaves unsaid stands beside it. The plot carries a hash of its figures, so that a check can tell an old one.

Usage: python benchmarks/redraw.py [--check]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

from tables import RESULTS, TABLES

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "benchmarks/README.md", "docs/benchmarks-results.md")
PLOT = Path("docs/ladder.svg")
_PLACE = re.compile(r"<!-- table (\S+) -->\n.*?<!-- end -->", re.DOTALL)


def redrawn(text: str, results: Path = RESULTS) -> str:
    """A page with its tables drawn from the results.

    Args:
        text: The page.
        results: The folder of results.

    Raises:
        SystemExit: The page names a table that does not exist.
    """

    def drawn(place: re.Match[str]) -> str:
        if place[1] not in TABLES:
            sys.exit(f"no table {place[1]!r}: accepted are {', '.join(TABLES)}.")
        return "\n".join([f"<!-- table {place[1]} -->", *TABLES[place[1]](results), "<!-- end -->"])

    return _PLACE.sub(drawn, text)


def plot_hash(results: Path = RESULTS) -> str:
    """A hash of the figures that the plot shows."""
    figures = [(name, row["name"], row["ms"]) for name, rows in _ladders(results).items() for row in rows]
    return hashlib.sha256(json.dumps(figures).encode()).hexdigest()[:16]


def plot_is_current(plot: Path, results: Path = RESULTS) -> bool:
    """Whether a plot shows the results' figures; without figures there is none to draw."""
    drawn = plot.read_text(encoding="utf-8") if plot.exists() else ""
    return not _ladders(results) or plot_hash(results) in drawn


def draw_plot(plot: Path, results: Path = RESULTS) -> None:
    """Draws the ladders: milliseconds a picture by step, one panel for each machine and network."""
    # matplotlib, which the benchmarks alone need, is installed with facexlib: it draws the axes that a hand-written SVG
    # would have to reinvent.
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "gpen-fast"
    from matplotlib import pyplot

    ladders = _ladders(results)
    figure, panels = pyplot.subplots(len(ladders), 1, figsize=(8, 3.6 * len(ladders)), squeeze=False)
    for axes, (name, rows) in zip(panels[:, 0], ladders.items(), strict=True):
        measured = [row for row in rows if row["ms"] is not None]
        bars = axes.barh([row["name"] for row in measured], [row["ms"] for row in measured], color="#4878a8")
        axes.bar_label(bars, fmt="%.0f", padding=3)
        axes.invert_yaxis()
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("ms a picture")
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(plot, metadata={"Description": f"figures {plot_hash(results)}", "Date": None})


def _ladders(results: Path) -> dict[str, list[dict[str, object]]]:
    files = sorted(results.glob("*/ladder-*.json"))
    documents = {file: json.loads(file.read_text()) for file in files}
    return {
        f"{file.parent.name.replace('-', ' ')}, {document['settings']['model']}": document["ladder"]
        for file, document in documents.items()
    }


def main() -> None:
    """Redraws every page and the plot; with --check only says which are not as the results have them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something is old")
    check = parser.parse_args().check
    old = [page for page in PAGES if (ROOT / page).read_text() != redrawn((ROOT / page).read_text())]
    if not plot_is_current(ROOT / PLOT):
        old.append(str(PLOT))
    for page in old:
        print(f"{page}: {'is older than the results: python benchmarks/redraw.py' if check else 'drawn'}")
        if not check and page != str(PLOT):
            (ROOT / page).write_text(redrawn((ROOT / page).read_text()))
        elif not check:
            draw_plot(ROOT / PLOT)
    sys.exit(bool(check and old))


if __name__ == "__main__":
    main()
