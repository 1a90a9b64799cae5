"""What is printed of a mix."""

from __future__ import annotations

import io

from reports import report_of
from rich.console import Console

from gpen_fast.cli.mix_table import print_mix
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import MixRow


def printed(report: Report) -> list[str]:
    text = io.StringIO()
    print_mix(Console(file=text, width=80, highlight=False), report)
    return text.getvalue().splitlines()


def mix_of(count: int) -> list[MixRow]:
    return [
        MixRow(f"in/{at:02d}.jpg", 1000, 1000, 1.0, 2, 2, 50.0, 10.0 + at, {"load": 2.0, "save": 5.0 + at})
        for at in range(count)
    ]


def test_a_stage_has_the_figure_that_it_depends_on() -> None:
    lines = printed(report_of(mix=mix_of(3), runs=2, first_result_ms=70.0))
    cells = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert lines[0].split("  ")[0] == "stage"
    assert len(cells["generate"]) == len(cells["load"]) == 4, "a face or a megapixel, not both"
    assert len(cells["wall"]) == 5
    generate, load = cells["generate"], cells["load"]
    # 61 ms over 6 runs, and over the 12 faces in them; 6.5 ms over 6 megapixels.
    assert generate[1:3] == ["10.17", "5.08"]
    assert load[1:3] == ["1.08", "1.08"]


def test_the_slowest_pictures_come_first_and_the_start_is_told_apart() -> None:
    lines = printed(report_of(mix=mix_of(12), runs=2, first_result_ms=70.0))
    pictures = [line for line in lines if line.rstrip().endswith(".jpg")]
    assert len(pictures) == 10
    assert pictures[0].split() == ["21.00", "50.00", "1.00", "2", "save", "76%", "in/11.jpg"]
    assert "the slowest 10 of 12 pictures: --json names all" in lines
    assert "time to the first result: 70 ms = model load 20 ms + first picture 50 ms" in lines
    assert "steady state: 15.00 ms a picture (median 15.00, p95 19.50)" in lines


def test_a_long_name_is_not_cut() -> None:
    name = "in/" + "a" * 100 + "[bold].jpg"
    row = MixRow(name, 100, 100, 0.01, 0, 1, None, 3.0, {})
    text = "".join(line.strip().rpartition(" ")[2] for line in printed(report_of(mix=[row], runs=1)))
    assert name in text
