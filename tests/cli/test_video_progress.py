"""Lines of progress of a video."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.cli.row_book import RowBook
from gpen_fast.cli.video_progress import FrameLines
from gpen_fast.measure.report_rows import PictureRow


def told(capsys: pytest.CaptureFixture[str], *, quiet: bool) -> list[str]:
    now = [0.0]
    lines = FrameLines(RowBook(None, None), quiet=quiet, now=lambda: now[0])
    lines.begin(Path("film.mp4"), 1000, 100)
    for _ in range(40):
        now[0] += 0.5
        lines.frame()
    lines.end(PictureRow("film.mp4", None, "failed", error="because"))
    lines.stopping()
    return capsys.readouterr().err.splitlines()


def test_a_line_comes_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, quiet=False)
    assert lines[0].endswith("film.mp4: 100 frames are done already, continuing after them")
    assert lines[1].endswith("film.mp4: 120 of 1000 frames; 2.0 a second, 7.3 min left")
    assert len(lines) == 5
    assert lines[3] == "failed film.mp4: because"
    assert lines[4].startswith("stopping: frames in the network are finished")


def test_quiet_tells_failures_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, quiet=True)[0] == "failed film.mp4: because"
