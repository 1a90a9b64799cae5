"""The ladder's table: within 80 columns, and no speed without its accuracy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import report_of

from gpen_fast.cli.ladder_table import print_ladder
from gpen_fast.measure.ladder import RowTimes, ladder_row, skipped_row
from gpen_fast.measure.report import Report
from gpen_fast.run.ladder_steps import LADDER_STEPS

BASE = RowTimes(98765.4, 10**9)
LOST = "fast PNG"


def ladder(device_bytes: int | None = 6 * 10**8) -> Report:
    """Every row with long figures; one loses quality and one was not measured."""
    base = replace(BASE, device_bytes=device_bytes)
    rows = [
        ladder_row(
            step.name, RowTimes(12345.678, device_bytes), base, [(51.234, 0.98765)], [f"note of {number}"]
        )
        for number, step in enumerate(LADDER_STEPS)
    ]
    rows[0] = ladder_row("baseline", base, base, [(float("inf"), 1.0)], [])
    rows[2] = ladder_row(LOST, RowTimes(100.0, device_bytes), base, [(38.26, 0.9)], [])
    rows[-1] = skipped_row(rows[-1].name, "x" * 200)
    return replace(report_of(), ladder=rows, verdict="all_done", advice=["the fastest row is a."])


def printed(report: Report, capsys: pytest.CaptureFixture[str], *, published: bool = False) -> list[str]:
    print_ladder(report, published=published)
    return capsys.readouterr().out.splitlines()


@pytest.fixture(autouse=True)
def _eighty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("device_bytes", [None, 6 * 10**8])
def test_it_fits_in_80_columns_whole(
    device_bytes: int | None, published: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(ladder(device_bytes), capsys, published=published)
    assert all(len(line) <= 80 for line in lines)
    assert "…" not in "".join(lines), "no cell is cut"
    for step in LADDER_STEPS[1:]:
        assert any(line.startswith(f"+ {step.name} ") for line in lines)
    assert ("memory" in lines[0]) is (device_bytes is not None)
    assert ("828.4" in "".join(lines)) is published


def test_a_row_that_loses_quality_is_marked_and_the_mark_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(ladder(), capsys)
    (row,) = [line for line in lines if line.startswith(f"+ {LOST}")]
    assert "! 38.3" in row and "987.65x" in row
    assert "! loses quality: below 45 dB" in lines
    assert f"{LOST}: loses quality: 38.26 dB is below 45 dB" in lines
    good = [line for line in lines if "51.2" in line]
    assert len(good) == len(LADDER_STEPS) - 3 and not any("!" in line for line in good)


def test_the_baseline_is_equal_to_itself_and_what_was_not_measured_has_dashes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(ladder(), capsys)
    assert lines[1].split() == ["baseline", "98765.4", "1.00x", "+0%", "equal", "1.0000"]
    (last,) = [line for line in lines if line.startswith(f"+ {LADDER_STEPS[-1].name}")]
    assert last.split()[-5:] == ["-"] * 5


def test_the_published_speed_stands_in_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(ladder(), capsys, published=True)
    (row,) = [line for line in lines if line.startswith("+ half precision")]
    assert row.endswith("621.7 1.33x")
    assert "published: optimisation ladder of GPEN-512, RTX 4090" in " ".join(lines)


def test_an_interrupted_ladder_says_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    report = replace(ladder(), verdict="interrupted")
    print_ladder(replace(report, ladder=report.ladder[:2]), published=False)
    assert capsys.readouterr().err == "interrupted: 2 rows measured or passed over\n"
    print_ladder(Report("profile", "0", verdict="interrupted"), published=True)
    assert capsys.readouterr().out == ""
