"""What a report says of its run reads back from its own JSON."""

from __future__ import annotations

from reports import report_of

from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import (
    BeforeAfter,
    BetterChoice,
    FailedInput,
    InputNote,
    LandmarksUse,
    PassedOverFile,
    VideoFigures,
)


def test_every_part_reads_back_as_it_was_written() -> None:
    made = report_of(
        better=[BetterChoice("model", "gpen-lite-256", "gpen-fast weights pull gpen-bfr-512")],
        passed_over=[PassedOverFile("yunet", "weights/yunet.onnx")],
        failed=[FailedInput("in/a.jpg", "is damaged")],
        notes=[InputNote("in/b.jpg", "has no face")],
        landmarks=LandmarksUse(file="faces.jsonl", used=2, searched=1),
    )
    read = Report.from_json(made.as_json())
    assert read == made
    assert read.better[0].command == "gpen-fast weights pull gpen-bfr-512"
    assert read.device == made.device


def test_what_was_not_asked_for_is_not_written_of_landmarks() -> None:
    written = report_of(landmarks=LandmarksUse(saved=3, saved_to="faces.jsonl")).to_dict()
    assert written["landmarks"] == {"saved": 3, "saved_to": "faces.jsonl"}


def test_scores_before_and_after_read_back() -> None:
    figures = VideoFigures(9, 9, 1.0, 9.0, tracks=2, flicker=BeforeAfter(6.5, 2.25))
    read = Report.from_json(report_of(video=figures).as_json())
    assert read.video == figures
