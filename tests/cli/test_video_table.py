"""The end of a run of `video`."""

from __future__ import annotations

import pytest

from gpen_fast.cli.video_table import print_video
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import FailedInput, InputNote, VideoFigures
from gpen_fast.measure.stats import summarise

SETTINGS = {"model": "m", "detector": "d"}


def test_what_was_resumed_left_or_failed_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(
        "video", "1", settings=dict(SETTINGS), faces=9, faces_kept=2, faces_left_out=1, not_done=1,
        verdict="interrupted",
        outcomes={"restored": 1, "no_face": 0, "failed": 1, "skipped": 3},
        failed=[FailedInput("a.mp4", "told already"), FailedInput("b.mp4", "the file ends early")],
        notes=[InputNote("c.mp4", "written as h264; the input is wmv3.")],
        video=VideoFigures(50, 50, 2.0, 12.5, 20, 4), wall_ms=summarise([2400.0]),
    )  # fmt: skip
    print_video(report, quiet=False, told=1)
    printed = capsys.readouterr()
    assert "wall 2.40 s, 12.50 frames a second" in printed.out
    assert "frames: 50, 2.00 s, 20 of them by an earlier run" in printed.out
    assert "faces: 7 restored, 2 left as found, 1 left out" in printed.out
    assert "4 frames could not be restored and are as they were" in printed.out
    assert "videos: 1 restored, 0 without a face, 1 failed, 3 skipped (done already)" in printed.out
    assert printed.err.splitlines() == [
        "failed b.mp4: the file ends early",
        "note c.mp4: written as h264; the input is wmv3.",
        "interrupted: 1 video is not done; the same command continues after the frames that are",
    ]
    print_video(report, quiet=True, told=2)
    assert capsys.readouterr().out == ""
