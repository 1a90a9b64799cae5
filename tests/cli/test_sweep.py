"""`gpen-fast profile --sweep` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from helpers import EXAMPLES
from reports import problems, strict_schema

from gpen_fast.cli.step_progress import StepLines
from gpen_fast.run import sweep
from gpen_fast.run.steps import RunsDone

HOPPER = EXAMPLES / "grace_hopper-degraded.jpg"


def test_a_size_is_measured_in_a_process_of_its_own(cli, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    ran = cli(
        "profile", HOPPER, "--sweep", "256", "--runs", 2, "--warmup", 0, "--published", "--json", report,
        "--target-fps", "0.001",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert max(map(len, ran.out.splitlines())) <= 80
    made = json.loads(report.read_text())
    assert problems(made, strict_schema()) == []
    (row,) = made["sweep"]
    assert (row["size"], row["model"], row["verdict"]) == (256, "random:gpen-bfr-256", "live")
    assert (row["device_peak_bytes"], row["model_load_ms"], made["verdict"]) == (None, None, "all_done")
    assert row["mean_ms"] == pytest.approx(1e3 / row["fps"], rel=1e-3)
    assert row["shares"]["network"] > 0.2 and row["shares"]["detect_align"] > 0
    assert sum(row["shares"].values()) == pytest.approx(1.0, abs=1e-3)
    assert row["host_peak_bytes"] > 200e6, "a process with torch and the network"
    assert "size 1 of 1: 256 x 256, random:gpen-bfr-256" in ran.err
    for words in ("random weights at 256", "A10G", "48.3", "published fps", "p95 against"):
        assert words in ran.out


def test_wrong_calls_say_what_is_accepted(cli, tmp_path: Path) -> None:
    ran = cli("profile", HOPPER, "--sweep", "256,300")
    assert ran.status == 2
    assert "there is no network gpen-bfr-300. Accepted are 256, 512, 1024, 2048" in ran.err
    ran = cli("profile", HOPPER, "--sweep", "256", "--model", "gpen-bfr-256")
    assert (ran.status, "leave --model out" in ran.err) == (2, True)
    ran = cli("profile", HOPPER, EXAMPLES / "astronaut.png", "--sweep", "256")
    assert (ran.status, "--sweep takes one picture, not 2" in ran.err) == (2, True)
    ran = cli("profile", tmp_path / "none.jpg", "--sweep", "256")
    assert (ran.status, "none.jpg: no such file." in ran.err) == (2, True)


def test_ctrl_c_ends_the_size_and_says_what_is_measured(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Waits:
        """A process that never sends a report."""

        def __init__(self, *given: object) -> None:
            self.pipe = self

        def poll(self, seconds: float) -> bool:
            return True

        def recv(self) -> RunsDone:
            return RunsDone(1, 9)

        def kill(self) -> None:
            pass

    monkeypatch.setattr(sweep, "SpawnedChild", Waits)
    monkeypatch.setattr(StepLines, "ran", lambda self, runs: os.kill(os.getpid(), signal.SIGINT))
    ran = cli("profile", HOPPER, "--sweep", "256,512", "--json", tmp_path / "r.json")
    assert ran.status == 130
    assert "stopping: what is measured is printed" in ran.err
    assert "interrupted: 0 sizes measured" in ran.err
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "interrupted"
