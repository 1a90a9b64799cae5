"""The tables that runs end with: from a report's plain values alone, within 80 columns."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import EXAMPLES, write_photo
from reports import recorder_of, report_of, span_of

from gpen_fast.cli.table import print_enhance, print_profile
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import (
    BetterChoice,
    FailedInput,
    InputNote,
    LandmarksUse,
    PassedOverFile,
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
    print_profile(Report.from_json(file))
    assert capsys.readouterr().out == ran.out


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
        "enhance", "in", "out", "--skip-detect", "--weights", tiny_weights, "--json", "r.json", "--keep-detail", "0",
    )  # fmt: skip
    assert "1 restored" in ran.out
    assert ran.err.count("failed in/") == 2
    print_enhance(Report.from_json(Path("r.json")), quiet=False)
    out, err = capsys.readouterr()
    assert out == ran.out
    assert err.splitlines() == [line for line in ran.err.splitlines() if line.startswith(("failed", "note"))]


def test_the_table_of_profile_has_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    advice = ["generate is 61%: try a GPU (--device cuda)."]
    print_profile(report_of(target_fps=100.0, verdict="offline", advice=advice, runs=1, warmup=2))
    out = capsys.readouterr().out
    assert re.search(r"^generate +61\.00 +61\.00 +61\.00 +60\.7% [█#]{7} *$", out, re.MULTILINE)
    assert "cpu, 2 threads | gpen-bfr-512 (folded) | detector lite | fp32\n" in out
    assert re.search(r"^wall +100\.50 +15\.00 +19\.50 +100\.0% ", out, re.MULTILINE)
    assert "means are per run and add up to the wall time; medians and p95 do not add up\n" in out
    told = "1 run of 1 face after 2 warm-up\nnot in the table: model load 20 ms, first run 50.0 ms\n"
    assert told in out
    assert "memory peak: device -, host 100 MiB\n" in out
    assert "66.67 frames/s: offline (p95 against a budget of 10.0 ms at 100 fps)\n" in out
    assert "advice: generate is 61%" in out


def test_the_table_of_enhance_counts_calls_and_faces(capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_of(load=4.0)
    recorder.add(span_of("generate", 6.0, items=8))
    stages = stage_rows(recorder, 10.0, aligned=True, first_apart=True)
    out, err = said(capsys, enhanced(stages=stages, overlap_factor=1.5, restored_per_s=133.3333))
    assert re.search(r"^generate +8 in 1 +0\.01 +6\.00 +60\.0% ", out, re.MULTILINE)
    assert re.search(r"^detect +skipped +$", out, re.MULTILINE)
    assert "all calls count, the first too (generate: 50 ms); rows add up to the last\n" in out
    assert "wall 0.01 s, 133.33 restored a second; overlap 1.50\n" in out
    assert "pictures: 2 restored, 1 no face (unchanged), 0 failed\n" in out
    assert "4 skipped (done already), 3 ignored (not pictures)\n" in out
    assert "faces: 2 restored\n" in out
    assert all(len(line) <= 80 for line in out.splitlines())
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
    assert "auto did not use w[1]/yunet.onnx: its content is not that of yunet." in out


def test_no_rate_is_told_where_nothing_was_restored(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, enhanced(throughput_per_s=1191.0))
    assert "wall 0.01 s\n" in out
    assert "1191" not in out
    assert "a second" not in out


def test_no_table_is_shown_where_no_stage_was_called(capsys: pytest.CaptureFixture[str]) -> None:
    stages = stage_rows(recorder_of(), 0.0, aligned=False, first_apart=True)
    out, _ = said(capsys, enhanced(stages=stages))
    assert "share" not in out
    assert "pictures: 2 restored" in out


def test_the_embedded_network_does_not_restore_as_gpen_does(capsys: pytest.CaptureFixture[str]) -> None:
    note = "gpen-lite-256 cleans and smooths faces; it does not restore them as GPEN does."
    out, _ = said(capsys, enhanced(network_note=note, restored_per_s=2.0))
    assert f"{note}\n" in out
    assert "2.00 cleaned a second" in out
    assert "pictures: 2 cleaned, 1 no face (unchanged), 0 failed\n" in out
    assert "faces: 2 cleaned\n" in out


def test_what_was_left_as_found_is_not_said_to_be_restored(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, enhanced(faces_kept=1, images_kept=1))
    assert "pictures: 1 restored, 1 left as found, 1 no face (unchanged), 0 failed\n" in out
    assert "faces: 1 restored, 1 left as found (the network's result is no better;" in out


def test_pictures_whose_faces_were_left_out_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, enhanced(no_face=["a.png"], left_out=["a.png"], faces_left_out=3))
    assert "2 restored, 0 no face (unchanged), 1 with all faces left out (unchanged), 0 failed" in " ".join(
        out.split()
    )
    assert "faces: 2 restored, 3 left out by --min-face, --max-face, --only-largest," in out
    assert "all faces left out in:\n  a.png\n" in out
    assert "no face found in" not in out


def test_ignored_files_and_those_without_faces_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capsys, enhanced(no_face=["m\n.png"], ignored=[f"{n}.gif" for n in range(7)]))
    assert "no face found in:\n  m\\n.png\n" in out
    assert "not a picture:\n  0.gif\n  1.gif\n  2.gif\n  3.gif\n  4.gif\n" in out
    assert "  and 2 more: --json and --log name all\n" in out
    assert "5.gif" not in out


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
        r"failed b\n.png: damaged [x]",
        "note a.png: large",
        "interrupted: 2 pictures not done; run again to continue",
    ]


def test_failures_that_were_told_during_the_run_are_not_told_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = enhanced(failed=[FailedInput("a.png", "torn"), FailedInput("faces.jsonl", "is read-only")])
    print_enhance(report, quiet=False, told=1)
    assert capsys.readouterr().err == "failed faces.jsonl: is read-only\n"
