"""The report of a run of `video`."""

from __future__ import annotations

from pathlib import Path

from reports import strict_schema

from gpen_fast.measure.report import Report
from gpen_fast.run.video.report import video_figures
from gpen_fast.run.video.restore import VideoResult
from gpen_fast.settings import VIDEO_STAGES


def test_the_report_has_decode_and_encode_and_is_read_back(run, deep_clip: Path, tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    report, _ = run(deep_clip, tmp_path / "o.mkv")
    assert [row.name for row in report.stages] == list(VIDEO_STAGES)
    counts = {row.name: row.count for row in report.stages}
    assert counts["load"] == counts["paste"] == counts["save"] == 8
    assert counts["decode"] == counts["encode"] == 9  # and what comes after the last frame
    assert report.images == report.video.frames_out == 8
    assert report.video.duration_s == 0.32
    assert report.video.fps > 0
    assert report.overlap_factor is not None
    assert Report.from_json(report.as_json()) == report
    Draft202012Validator(strict_schema()).validate(report.to_dict())


def test_speed_counts_only_what_this_run_restored() -> None:
    results = [
        VideoResult(100, 100, 60, 4.0, {}, "h264", "yuv420p"),
        VideoResult(10, 10, 0, 1.0, {}, "h264", "yuv420p"),
    ]
    figures = video_figures(results, 2000.0)
    assert (figures.frames_out, figures.frames_resumed, figures.duration_s, figures.fps) == (
        110,
        60,
        5.0,
        25.0,
    )
