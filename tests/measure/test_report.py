"""Reports: plain values, their JSON, and back."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from helpers import DATA
from reports import report_of

from gpen_fast.errors import ReportError
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import (
    BetterChoice,
    FailedInput,
    InputNote,
    LandmarksUse,
    PassedOverFile,
)
from gpen_fast.measure.report_rows import OUTCOMES, PictureRow
from gpen_fast.settings import STAGES

OLD = DATA / "profile-report.json"
ACCEPTED = "Accepted is what enhance, profile, video and live write with --json, in schema 1"


def full_report() -> Report:
    """A report with a value in every field."""
    return replace(
        report_of(),
        command="enhance",
        precision_note="fp16 needs CUDA",
        better=[BetterChoice("detector", "lite", "gpen-fast weights pull x")],
        passed_over=[PassedOverFile("yunet", "w/yunet.onnx")],
        commit="0123456789ab",
        redone_in_fp32=1,
        backend_notes=["no Triton"],
        outcomes=dict.fromkeys(OUTCOMES, 1),
        failed=[FailedInput("a\udc80.png", "damaged")],
        notes=[InputNote("b.png", "large")],
        no_face=["c.png"],
        left_out=["c.png"],
        faces_left_out=2,
        ignored=["d.txt"],
        network_note="lite cleans.",
        restored_per_s=1.5,
        target_fps=30.0,
        verdict="some_failed",
        advice=["gpen-fast weights pull x"],
        pictures=[PictureRow("c.png", None, "no_face", 0, 2, {"load": 1.5}, "large", "")],
        landmarks=LandmarksUse(saved=3, saved_to="faces.jsonl"),
        not_done=4,
        overlap_factor=1.5,
        bound_by="device",
    )


def test_a_report_survives_json() -> None:
    report = full_report()
    assert Report.from_json(report.as_json()) == report
    assert json.loads(report.as_json()) == report.to_dict()


def test_json_holds_every_field_after_the_schema() -> None:
    made = full_report().to_dict()
    assert list(made) == ["schema", *(each.name for each in fields(Report))]
    assert made["schema"] == 1
    assert [stage["name"] for stage in made["stages"]] == list(STAGES)
    assert made["stages"][4]["device_ms"] is None
    assert made["wall_ms"] == {
        "mean": 15.0, "median": 15.0, "p95": 19.5, "min": 10.0, "max": 20.0, "std": 5.0
    }  # fmt: skip


def test_landmarks_name_only_what_was_asked_for() -> None:
    assert full_report().to_dict()["landmarks"] == {"saved": 3, "saved_to": "faces.jsonl"}
    assert report_of().to_dict()["landmarks"] is None


def test_a_report_of_nothing_has_nulls() -> None:
    made = Report("enhance", "0.1.0").to_dict()
    assert made["outcomes"] == dict.fromkeys(("restored", "no_face", "ignored", "skipped", "failed"), 0)
    for key in ("device", "settings", "weights", "wall_ms", "memory", "throughput_per_s", "model_load_ms"):
        assert made[key] is None
    assert made["stages"] == []


def test_the_slowest_stage_has_the_largest_share() -> None:
    assert report_of("crop").slowest.name == "crop"


def test_a_file_of_before_is_read() -> None:
    report = Report.from_json(OLD)
    assert (report.command, report.images, report.runs) == ("profile", 40, 40)
    assert report.stages[1].host_ms.p95 == 84.3784
    assert report.setting("template") == "ffhq"
    assert report.backend_notes == []  # a key of later
    written, before = report.to_dict(), json.loads(OLD.read_text())
    later = {"total_ms": None, "device_total_ms": None}
    before["stages"] = [row | later for row in before["stages"]]
    assert {key: written[key] for key in before} == before


def test_keys_of_later_are_ignored() -> None:
    made = report_of().to_dict() | {"energy_j": 5}
    assert Report.from_json(json.dumps(made)) == report_of()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Expecting value"),
        ("[1]", 'it is no JSON object with the key "schema"'),
        ("{}", 'it is no JSON object with the key "schema"'),
        ('{"schema": 2, "command": "profile"}', "its schema is 2"),
        ('{"schema": "1", "command": "profile"}', "its schema is '1'"),
        ('{"schema": 1, "suite": "png"}', "command is missing"),
        ('{"schema": 1, "command": "film"}', "command is 'film', accepted are enhance, profile, video"),
        ('{"schema": 1, "command": "profile"}', "version is missing"),
        (
            '{"schema": 1, "command": "profile", "version": "1", "faces": "two"}',
            "faces is a string, accepted is a whole number",
        ),
        ("[" * 100_000, "maximum recursion depth"),
    ],
)
def test_what_is_no_report_says_what_came_and_what_is_accepted(text: str, told: str) -> None:
    with pytest.raises(ReportError) as caught:
        Report.from_json(text)
    message = str(caught.value)
    assert message.startswith(f"no report that this version of gpen-fast reads: {told}")
    assert f"{ACCEPTED}. Write the report again with this version." in message


def test_a_file_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"r\.json: cannot be read: no such file or directory\.$"):
        Report.from_json(tmp_path / "r.json")
    (tmp_path / "r.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ReportError, match=r"^.*r\.json: no report that this version of gpen-fast reads: "):
        Report.from_json(tmp_path / "r.json")
