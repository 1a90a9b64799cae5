"""The sweep's tables: within 80 columns, the published figures beside one's own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import report_of

from gpen_fast.cli.sweep_table import print_sweep
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import FailedInput
from gpen_fast.measure.sweep import OUTSIDE, PARTS, SweepRow

SHARES = dict.fromkeys([*PARTS, OUTSIDE], 0.15) | {"network": 0.25}
GB = 10**9


def sweep(device_bytes: int | None = 12 * GB, load_ms: float | None = 12345.0) -> Report:
    rows = [
        SweepRow(
            size, f"gpen-bfr-{size}" if load_ms else f"random:gpen-bfr-{size}", 12345.6, 12345.6, 12345.6, 123.45,
            SHARES, device_bytes, 12 * GB, load_ms, "borderline",
        )
        for size in (256, 512, 1024, 2048)
    ]  # fmt: skip
    return replace(report_of(), sweep=rows, runs=10, warmup=3, target_fps=30.0, verdict="all_done", failed=[])


@pytest.fixture(autouse=True)
def _eighty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def printed(report: Report, capsys: pytest.CaptureFixture[str], *, published: bool = False) -> list[str]:
    print_sweep(report, published=published)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("device_bytes", [None, 12 * GB])
def test_it_fits_in_80_columns_whole(
    device_bytes: int | None, published: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(sweep(device_bytes), capsys, published=published)
    assert all(len(line) <= 80 for line in lines)
    assert "…" not in "".join(lines), "no cell is cut"
    assert ("GPU GB" in lines[0]) is (device_bytes is not None)
    first = lines[1].split()
    assert first == [
        "256", *["12345.6"] * 3, "123.45", *(["12.00"] if device_bytes else []), "12.00", "12.35", "borderline",
    ]  # fmt: skip


def test_published_figures_stand_beside_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(printed(sweep(), capsys, published=True))
    assert "A10G" in text and "usable live" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["256", "12345.6", "48.3", "0.00x", "123.45", "20.7"] in rows
    assert ["2048", "12345.6", ">1000.0", ">0.08x", "123.45", "-"] in rows
    assert ["published", "-", "20.8%", "11.1%", "60.1%", "7.9%", "-"] in rows
    assert "GPU 6.80 GB, RAM 4.20 GB, load 3.20 s" in text


def test_random_weights_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(printed(sweep(load_ms=None), capsys))
    assert "random weights at 256, 512, 1024, 2048: timing only; they are drawn, not loaded" in text
    assert "random" not in " ".join(printed(sweep(), capsys))


def test_sizes_that_failed_and_an_interrupt_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    report = replace(
        sweep(), failed=[FailedInput("512 x 512, gpen-bfr-512", "no memory")], verdict="interrupted"
    )
    print_sweep(report, published=False)
    told = capsys.readouterr().err
    assert "failed 512 x 512, gpen-bfr-512: no memory" in told
    assert "interrupted: 4 sizes measured" in told
