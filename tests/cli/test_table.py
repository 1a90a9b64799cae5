"""The tables that runs end with: from a report's plain values alone, within 80 columns."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import EXAMPLES, write_photo
from reports import recorder_of, report_of, span_of

from gpen_fast.cli.table import print_enhance, print_profile
from gpen_fast.measure.report import (
    BetterChoice,
    FailedInput,
    InputNote,
    LandmarksUse,
    PassedOverFile,
    Report,
)
from gpen_fast.measure.rows import stage_rows

HOPPER = EXAMPLES / "grace_hopper-degraded.jpg"


@pytest.fixture(autouse=True)
def _80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def enhanced(**changed: object) -> Report:
    outcomes = {"restored": 2, "no_face": 1, "ignored": 3, "skipped": 4, "failed": 0}
    return replace(report_of(), command="enhance", outcomes=outcomes, **changed)


def said(capsys: pytest.CaptureFixture[str], report: Report, quiet: bool = False) -> tuple[str, str]:
    print_enhance(report, quiet)
    return capsys.readouterr()


def test_a_report_read_back_gives_the_same_table_of_profile(
    cli, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_weights: Path
) -> None:
    file = tmp_path / "r.json"
    ran = cli(
        "profile", HOPPER, "--runs", 2, "--warmup", 0, "--weights", tiny_weights, "--target-fps", 5,
        "--json", file,
    )  # fmt: skip
    assert "generate" in ran.out
    print_profile(Report.from_json(file), target_fps=5.0)
    assert capsys.readouterr() == (ran.out, ran.err)


def test_a_report_read_back_gives_the_same_table_of_enhance(
    cli,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_photo(Path("in/good.png"))
    Path("in/bad[1].png").write_bytes(b"no picture")
    Path("in/odd\udc80.png").write_bytes(b"")
    ran = cli(
        "enhance", "in", "out", "--skip-detect", "--weights", tiny_weights, "--json", "r.json",
    )  # fmt: skip
    assert "1 restored" in ran.out
    assert ran.err.count("failed in/") == 2
    print_enhance(Report.from_json(Path("r.json")), quiet=False)
    assert capsys.readouterr() == (ran.out, ran.err)


def test_the_table_of_profile_has_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    print_profile(report_of(), target_fps=100.0)
    out = capsys.readouterr().out
    assert re.search(r"^generate +- +61\.00 +61\.00 +61\.00 +61\.0% [█#]{7}$", out, re.MULTILINE)
    assert "cpu, 2 threads | gpen-bfr-512 (folded) | detector lite | fp32\n" in out
    assert "wall: median 15.0 ms, p95 19.5, unaccounted 0.50; 1 face\n" in out
    assert "2 runs after 1 warm-up; apart: model load 20 ms, first call 50.0 ms\n" in out
    assert "memory peak: device -, host 100 MiB\n" in out
    assert "66.67 frames/s: offline (p95 against a budget of 10.0 ms at 100 fps)\n" in out
    assert "advice: generate is 61%" in out


def test_the_table_of_enhance_counts_calls_and_faces(capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_of(load=4.0)
    recorder.add(span_of("generate", 6.0, items=8))
    out, err = said(capsys, enhanced(stages=stage_rows(recorder, 10.0, aligned=True, first_apart=True)))
    assert re.search(r"^load +1 +- +4\.00 +40\.0% ", out, re.MULTILINE)
    assert re.search(r"^generate +8 in 1 +- +6\.00 +60\.0% ", out, re.MULTILINE)
    assert re.search(r"^detect +skipped +$", out, re.MULTILINE)
    assert "wall 0.01 s, 66.67 images/s, 2 faces; overlap 0.00; busiest: none\n" in out
    assert "2 restored, 1 no face (copied through), 0 failed\n" in out
    assert "left alone: 4 skipped (done already), 3 ignored (no picture)\n" in out
    assert err == ""


def test_what_ran_is_told_with_what_would_be_better(capsys: pytest.CaptureFixture[str]) -> None:
    better = [
        BetterChoice("model", "gpen-lite-256", "gpen-fast weights pull a"),
        BetterChoice("detector", "lite", "gpen-fast weights pull b"),
    ]
    passed_over = [PassedOverFile("yunet", "w[1]/yunet.onnx")]
    out, _ = said(
        capsys,
        enhanced(better=better, passed_over=passed_over, redone_in_fp32=1, precision_note="fp16 needs CUDA"),
    )
    assert "| detector lite | fp32 (fp16 needs CUDA) " in " ".join(out.split())
    assert "gpen-lite-256 ran; a better model: gpen-fast weights pull a\n" in out
    assert "detector lite ran; a better one: gpen-fast weights pull b\n" in out
    assert "1 face redone in fp32: half precision produced an invalid result\n" in out
    assert "auto passed over w[1]/yunet.onnx: it is not the yunet that is expected." in out


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (LandmarksUse("f.jsonl", 3, 0, 0, 0), ["landmarks: all 3 from f.jsonl, none searched"]),
        (
            LandmarksUse("f.jsonl", 1, 2, 2, 1),
            [
                "landmarks: 1 from f.jsonl, 2 searched",
                "2 searched again: the file has them by another detector, size or threshold",
                "1 entry matched no input",
            ],
        ),
        (LandmarksUse("f.jsonl", 1, 0, 0, 2), ["2 entries matched no input"]),
        (LandmarksUse(saved=1, saved_to="g.jsonl"), ["landmarks of 1 picture saved to g.jsonl"]),
    ],
)
def test_landmarks_are_told(capsys: pytest.CaptureFixture[str], use: LandmarksUse, told: list[str]) -> None:
    lines = said(capsys, enhanced(landmarks=use))[0].splitlines()
    assert set(told) <= set(lines)
    assert "landmarks" not in said(capsys, enhanced())[0]


def test_quiet_leaves_notes_and_failures_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    report = enhanced(
        notes=[InputNote("a.png", "large")], failed=[FailedInput("b\n.png", "damaged [x]")],
        backend_notes=["no Triton"], not_done=2,
    )  # fmt: skip
    out, err = said(capsys, report, quiet=True)
    assert out == ""
    assert err.splitlines() == [
        "note folded: no Triton",
        "note a.png: large",
        r"failed b\n.png: damaged [x]",
        "interrupted: 2 pictures not done; run again to continue",
    ]
