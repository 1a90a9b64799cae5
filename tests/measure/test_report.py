"""Figures, verdict and advice."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gpen_fast.cli.table import print_enhance
from gpen_fast.measure import report as reports
from gpen_fast.measure.advice import advise, verdict
from gpen_fast.measure.memory import host_peak_bytes
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report, as_dict, commit, stage_rows
from gpen_fast.measure.stats import summarise
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import STAGES, Settings


def test_summary_of_known_values() -> None:
    summary = summarise([1.0, 2.0, 3.0, 4.0, 10.0])
    assert summary is not None
    assert (summary.mean, summary.median, summary.min, summary.max) == (4.0, 3.0, 1.0, 10.0)
    assert summary.p95 == pytest.approx(8.8)
    assert summary.std == pytest.approx(np.std([1, 2, 3, 4, 10]))
    assert summarise([]) is None


def test_first_call_stands_apart_unless_it_is_the_only_one() -> None:
    recorder = Recorder()
    recorder.add_host("generate", 900.0, 1)
    assert stage_rows(recorder, 900.0, aligned=False, first_apart=True)[4].host.mean == 900.0
    recorder.add_host("generate", 100.0, 1)
    rows = stage_rows(recorder, 1000.0, aligned=False, first_apart=True)
    assert [row.name for row in rows] == list(STAGES)
    assert rows[4].host.mean == 100.0
    assert rows[4].share == 1.0
    assert rows[4].count == 2


@pytest.mark.parametrize(
    ("p95", "fps", "wanted"),
    [
        (33.3, 30, "live"),
        (33.4, 30, "borderline"),
        (49.9, 30, "borderline"),
        (50.1, 30, "offline"),
        (99, 10, "live"),
    ],
)
def test_verdict(p95: float, fps: float, wanted: str) -> None:
    assert verdict(p95, fps) == wanted


@pytest.fixture(scope="module")
def report(tiny_weights: Path) -> Report:
    runtime = load_runtime(Settings.from_flat(weights=str(tiny_weights), precision="fp32"))
    return Report(
        "profile", runtime, [], [10.0, 20.0], images=2, faces=2, first_call_ms=50.0, unaccounted_ms=0.5
    )


def with_slowest(report: Report, stage: str) -> Report:
    recorder = Recorder()
    for name in STAGES:
        recorder.add_host(name, 61.0 if name == stage else 6.5, 1)
    return replace(report, stages=stage_rows(recorder, 100.0, aligned=False, first_apart=False))


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("detect", "detect is 61%: try --skip-detect"),
        ("generate", "generate is 61%: try a GPU (--device cuda), or half precision (--fp16)"),
        ("save", "save is 61%: enhance saves beside"),
        ("load", "load is 61%: enhance loads ahead"),
        ("paste", "paste is 61%: try --only-largest"),
    ],
)
def test_advice_is_for_the_stage_that_costs_most(report: Report, stage: str, words: str) -> None:
    assert words in advise(with_slowest(report, stage))


def test_report_says_what_ran(report: Report) -> None:
    made = as_dict(with_slowest(report, "generate"))
    assert made["schema"] == 1
    assert made["settings"]["precision"] == "fp32"
    assert made["settings"]["detector"] == "lite"
    assert made["weights"][0]["name"] == "custom-64"
    assert len(made["weights"][0]["sha256"]) == 64
    assert made["throughput_per_s"] == pytest.approx(2 / 0.03, rel=1e-3)
    assert made["wall_ms"]["median"] == 15.0
    assert set(made["outcomes"]) == {"restored", "no_face", "ignored", "skipped", "failed"}
    assert [stage["name"] for stage in made["stages"]] == list(STAGES)
    assert made["stages"][4]["device_ms"] is None


def test_what_the_backend_has_to_say_is_in_the_report(report: Report, capsys) -> None:
    assert as_dict(report)["backend_notes"] == []
    told = ["its kernels are not used on cuda:0 (no Triton [3.6])."]
    backend = SimpleNamespace(name="folded")
    generator = SimpleNamespace(backend=backend, recomputed_fp32=0, batch_size=8, notes=told)
    slower = replace(report, runtime=replace(report.runtime, generator=generator))
    assert as_dict(slower)["backend_notes"] == told
    print_enhance(slower, quiet=True)
    assert capsys.readouterr().err == f"note folded: {told[0]}\n"


def test_memory_and_commit() -> None:
    assert host_peak_bytes() > 50 * 2**20
    assert commit() is None or len(commit()) >= 7


def test_commit_of_another_repository_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    for place, wanted in ((".venv/lib/gpen_fast", None), ("src/gpen_fast", "asked")):
        monkeypatch.setattr(reports, "__file__", str(tmp_path / place / "profile/report.py"))
        monkeypatch.setattr(
            reports.subprocess, "run", lambda *given, **options: SimpleNamespace(stdout="asked\n")
        )
        assert reports.commit() == wanted


def test_weights_are_the_networks_and_the_detectors(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"anchors")
    runtime = replace(report.runtime, detector=SimpleNamespace(name="yunet", weights=path))
    network, detector = as_dict(replace(report, runtime=runtime))["weights"]
    assert network == as_dict(report)["weights"][0]
    assert detector == {"name": "yunet", "sha256": sha256(b"anchors").hexdigest(), "random": False}
