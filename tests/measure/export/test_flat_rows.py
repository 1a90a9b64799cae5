"""Ladders and sweeps as tables."""

from __future__ import annotations

import csv
import io

from reports import report_of

from gpen_fast.measure.export.csv import report_csv
from gpen_fast.measure.export.flat_rows import flat_rows
from gpen_fast.measure.export.markdown import report_markdown
from gpen_fast.measure.ladder import LadderRow
from gpen_fast.measure.sweep import SweepRow

LADDER = [
    LadderRow("baseline", 1234.5678, 1.0, None, None, 1.0, ""),
    LadderRow("half | precision", None, None, None, None, None, "no bf16 here"),
]
SWEEP = [
    SweepRow(
        256,
        "random:gpen-bfr-256",
        80.0,
        79.0,
        90.0,
        12.5,
        {"load": 0.25, "network": 0.75},
        None,
        9,
        None,
        "live",
    )
]


def test_a_ladder_has_a_row_a_row_in_both_tables() -> None:
    report = report_of(ladder=LADDER, stages=[])
    rows = list(csv.DictReader(io.StringIO(report_csv(report))))
    assert [row["name"] for row in rows] == ["baseline", "half | precision"]
    assert (rows[0]["ms"], rows[1]["ms"], rows[1]["note"]) == ("1234.5678", "", "no bf16 here")
    text = report_markdown(report)
    assert "| name | ms | speedup | device_memory_saved | psnr | ssim | note |" in text
    assert "| half \\| precision | - | - | - | - | - | no bf16 here |" in text


def test_the_shares_of_a_sweep_are_columns_of_their_own() -> None:
    names, (cells,) = flat_rows(SWEEP)
    row = dict(zip(names, cells, strict=True))
    assert (row["size"], row["shares.load"], row["shares.network"], row["verdict"]) == (
        256,
        0.25,
        0.75,
        "live",
    )
    assert "| 256 | random:gpen-bfr-256 | 80 |" in report_markdown(report_of(sweep=SWEEP, stages=[]))
