"""The pages' tables and the plot are drawn from the committed results."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from helpers import ROOT


@pytest.fixture
def redraw(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The script, which is not part of a package."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import redraw

    yield redraw
    for name in ("redraw", "tables"):
        sys.modules.pop(name, None)


def test_every_page_shows_the_committed_results(redraw: ModuleType) -> None:
    for page in redraw.PAGES:
        text = (ROOT / page).read_text()
        assert redraw.redrawn(text) == text, f"{page} is older than the results: python benchmarks/redraw.py"
    assert redraw.plot_is_current(ROOT / redraw.PLOT), "docs/ladder.svg is older than the results"
    shown = {name for page in redraw.PAGES for name in redraw._PLACE.findall((ROOT / page).read_text())}
    assert shown == set(redraw.TABLES)


def test_a_changed_result_changes_its_table_and_no_other(redraw: ModuleType, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(redraw.RESULTS, results)
    (engine,) = results.glob("*/engine.json")
    document = json.loads(engine.read_text())
    document["medians"]["images_per_s"] = 987.0
    engine.write_text(json.dumps(document))
    page = (ROOT / "benchmarks/README.md").read_text()
    before, after = redraw.redrawn(page).splitlines(), redraw.redrawn(page, results).splitlines()
    changed = [line for line in after if line not in before]
    assert changed == ["| pictures a second, `--skip-detect` | 987 |"]


def test_a_plot_of_other_figures_is_old(redraw: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "some-cpu-2-threads"
    folder.mkdir(parents=True)
    rows = [{"name": "baseline", "ms": 100.0}, {"name": "CUDA graphs", "ms": None}]
    ladder = {"settings": {"model": "gpen-lite-256"}, "ladder": rows}
    (folder / "ladder-one.json").write_text(json.dumps(ladder))
    plot = tmp_path / "ladder.svg"
    assert not redraw.plot_is_current(plot, folder.parent)
    redraw.draw_plot(plot, folder.parent)
    assert redraw.plot_is_current(plot, folder.parent)
    rows[0]["ms"] = 50.0
    (folder / "ladder-one.json").write_text(json.dumps(ladder))
    assert not redraw.plot_is_current(plot, folder.parent)


def test_a_table_that_does_not_exist_is_named(redraw: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"no table 'networks': accepted are network, png, "):
        redraw.redrawn("<!-- table networks -->\n<!-- end -->")
