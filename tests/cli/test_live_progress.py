"""The line that shows how a live run goes."""

from __future__ import annotations

import pytest

from gpen_fast.cli.live_progress import LiveLines, live_line, live_progress


class Tally:
    step, dropped, delivered = "gpen-lite-256", 12, 288

    def present(self) -> tuple[float, float]:
        return 24.96, 0.0623


def test_the_line_tells_step_rate_latency_and_drops() -> None:
    assert live_line(Tally()) == ("gpen-lite-256 | 25.0 frames a second | latency 62 ms | 12 dropped (4.0 %)")


def test_lines_come_every_few_seconds_and_none_while_it_stops(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    times = iter([0.0, 1.0, 4.9, 5.0, 5.0, 9.0, 10.5, 10.5, 99.0])
    lines = LiveLines(told.append, 5.0, lambda: next(times))
    for _ in range(3):
        lines.frame(Tally())
    assert len(told) == 1
    lines.frame(Tally())
    lines.frame(Tally())
    assert len(told) == 2
    lines.stopping()
    lines.frame(Tally())
    assert len(told) == 2
    assert capsys.readouterr().err.startswith("stopping: the frames under way are handed out")


def test_quiet_says_nothing_and_no_terminal_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, lines in ((True, 0), (False, 1)):
        with live_progress(quiet) as progress:
            progress._told -= 99
            progress.frame(Tally())
        assert capsys.readouterr().err.count("gpen-lite-256 |") == lines
