"""What a live run ends with."""

from __future__ import annotations

import pytest
from reports import report_of

from gpen_fast.cli.live_table import print_live
from gpen_fast.measure.report_parts import FailedInput, LatencyFigures, LiveFigures

FIGURES = LiveFigures(
    25.0, 25.0, 100.0, 288, 12, 24.0, LatencyFigures(62.3, 90.0, 110.0, 180.9),
    {"gpen-lite-256": 10.0, "every second frame": 2.0}, "live only by stepping down: so it was.", 12.0, 2, 0,
)  # fmt: skip


def report(**changes: object):
    return report_of(live=FIGURES, verdict="borderline", faces=300, faces_kept=20, **changes)


def test_frames_latencies_steps_and_verdict_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    print_live(report(), quiet=False)
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "frames: 288 delivered, 12 dropped (4.0 %), 12.0 s; 24.0 a second of 25",
        "latency: p50 62 ms, p95 90, p99 110, max 181; 100 allowed",
        "gpen-lite-256 10.0 83.3%",
        "every second frame 2.0 16.7%",
        "faces: 280 restored, 20 left as found; tracks: 2",
        "live only by stepping down: so it was.",
    ):
        assert words in out
    assert "published" not in out


def test_quiet_tells_only_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    print_live(report(failed=[FailedInput("tcp://cam:9", "the sender ended the stream.")]), quiet=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "failed tcp://cam:9: the sender ended the stream.\n"
