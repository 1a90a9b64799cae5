"""`gpen-fast profile --ladder` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from helpers import EXAMPLES, write_photo
from reports import problems, strict_schema

from gpen_fast.cli.step_progress import StepLines
from gpen_fast.run import ladder
from gpen_fast.run.ladder_steps import LADDER_STEPS

HOPPER = EXAMPLES / "grace_hopper-degraded.jpg"


def test_the_ladder_of_what_is_present(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {"baseline", "fast PNG", "PNG on the GPU", "skip detect", "folded network"}
    monkeypatch.setattr(ladder, "LADDER_STEPS", [step for step in LADDER_STEPS if step.name in shown])
    report = tmp_path / "r.json"
    ran = cli("profile", "--ladder", HOPPER, "--runs", 2, "--warmup", 0, "--published", "--json", report)
    assert ran.status == 0, ran.err
    assert max(map(len, ran.out.splitlines())) <= 80
    made = json.loads(report.read_text())
    assert problems(made, strict_schema()) == []
    rows = {row["name"]: row for row in made["ladder"]}
    assert set(rows) == shown
    assert made["settings"]["model"] == "gpen-lite-256"
    assert (rows["baseline"]["speedup"], rows["baseline"]["ssim"]) == (1.0, 1.0)
    assert rows["fast PNG"]["psnr"] is None and rows["fast PNG"]["ssim"] == 1.0
    assert rows["PNG on the GPU"]["ms"] is None
    assert rows["skip detect"]["ssim"] == pytest.approx(1.0, abs=2e-3)
    assert rows["folded network"]["psnr"] > 60, "fp32: the folded network is the same function"
    for words in (
        "\n+ folded network ",
        "828.4 1.00x",
        "RTX 4090",
        "PNG on the GPU: not measured: ",
        "equal",
    ):
        assert words in ran.out
    assert "row 1 of 5: baseline" in ran.err


def test_ctrl_c_prints_the_rows_that_are_done(
    cli, tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = StepLines.began

    def interrupted(self: StepLines, number: int, of: int, name: str) -> None:
        began(self, number, of, name)
        if number == 2:
            monkeypatch.setattr(StepLines, "ran", lambda self, runs: os.kill(os.getpid(), signal.SIGINT))

    monkeypatch.setattr(StepLines, "began", interrupted)
    steps = [LADDER_STEPS[0], LADDER_STEPS[2], LADDER_STEPS[4]]
    monkeypatch.setattr(ladder, "LADDER_STEPS", steps)
    common = ["--runs", 4, "--warmup", 0, "--weights", tiny_weights, "--json", tmp_path / "r.json"]
    ran = cli("profile", "--ladder", HOPPER, *common)
    assert ran.status == 130
    assert "\nbaseline " in ran.out and "fast PNG" not in ran.out
    assert "interrupted: 1 row measured or passed over" in ran.err
    made = json.loads((tmp_path / "r.json").read_text())
    assert problems(made, strict_schema()) == []
    assert ([row["name"] for row in made["ladder"]], made["verdict"]) == (["baseline"], "interrupted")


def test_a_picture_without_a_face_fails_by_name(cli, tmp_path: Path, tiny_weights: Path) -> None:
    ran = cli("profile", "--ladder", write_photo(tmp_path / "meadow.png"), "--weights", tiny_weights)
    assert ran.status == 1
    assert "meadow.png: lite finds no face in it" in ran.complaints


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--sweep", "256"], "--ladder and --sweep are two measurements: choose one."),
        (["--budget", "9"], "--budget is for the time of one picture, not for --ladder: leave one out."),
        (["--fp16"], "itself, row by row: leave --precision out."),
        (["--batch-size", "4"], "itself, row by row: leave --batch-size out."),
        (["--skip-detect"], "has a row without detection: leave --skip-detect out."),
    ],
)
def test_contradictions_are_one_sentence(cli, flags: list[str], told: str) -> None:
    ran = cli("profile", HOPPER, "--ladder", *flags)
    assert ran.status == 2
    assert ran.complaints.startswith("error: ")
    assert told in ran.complaints


def test_published_needs_something_to_stand_beside(cli) -> None:
    ran = cli("profile", HOPPER, "--published")
    assert (ran.status, ran.complaints) == (
        2, "error: --published has figures for --ladder and --sweep: add one of them.\n",
    )  # fmt: skip
