"""Reports, from what ran and what was measured."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from reports import recorder_of, span_of

from gpen_fast.cli.table import print_enhance
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import (
    BetterChoice,
    FailedInput,
    InputNote,
    LandmarksUse,
    PassedOverFile,
)
from gpen_fast.run import report as reports
from gpen_fast.run.crew import Member
from gpen_fast.run.plan import Item, Plan
from gpen_fast.run.planned import nothing_done_report
from gpen_fast.run.report import enhance_report, profile_report
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.tally import Tally
from gpen_fast.settings import STAGES, Settings

ENGINE = SimpleNamespace(processes=0, readers=2, writers=2, members=[Member("cpu")])


@pytest.fixture(scope="module")
def runtime(tiny_weights: Path) -> Runtime:
    return load_runtime(Settings.from_flat(weights=str(tiny_weights), precision="fp32", device="cpu"))


def profiled(runtime: Runtime) -> Report:
    recorder = recorder_of(**dict.fromkeys(STAGES, 2.0))
    return profile_report(
        runtime, recorder, [10.0, 20.0], faces=2, warmup=1, first_call_ms=50.00004, target_fps=30.0
    )


def enhanced(runtime: Runtime, recorder: Recorder, plan: Plan | None = None, **given: object) -> Report:
    tally = given.get("tally") or Tally()
    writer = given.get("writer")
    return enhance_report(runtime, plan or Plan(), tally, recorder, 100.0, ENGINE, writer)


def test_report_says_what_ran(runtime: Runtime) -> None:
    made = profiled(runtime).to_dict()
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
    assert made["device"]["type"] == "cpu"
    assert (made["face_size"], made["settings"]["batch_size"]) == (64, runtime.generator.batch_size)
    assert made["half_precision"] in {"bf16", "fp32"}
    assert made["model_load_ms"] == round(runtime.load_ms, 4)


def test_a_profile_accounts_for_its_wall_time(runtime: Runtime) -> None:
    report = profiled(runtime)
    assert (report.images, report.runs, report.warmup, report.first_call_ms) == (2, 2, 1, 50.0)
    assert report.unaccounted_ms == (30.0 - 7 * 2.0) / 2
    assert sum(row.share for row in report.stages) == pytest.approx(14 / 30, abs=1e-3)


def test_what_the_backend_has_to_say_is_in_the_report(runtime: Runtime, capsys) -> None:
    assert profiled(runtime).backend_notes == []
    told = ["its kernels are not used on cuda:0 (no Triton [3.6])."]
    backend = SimpleNamespace(name="folded", size=64)
    generator = SimpleNamespace(backend=backend, recomputed_fp32=0, batch_size=8, notes=told)
    slower = profiled(replace(runtime, generator=generator))
    assert slower.to_dict()["backend_notes"] == told
    print_enhance(slower, quiet=True)
    assert capsys.readouterr().err == f"note folded: {told[0]}\n"


def test_weights_are_the_networks_and_the_detectors(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"anchors")
    network, detector = profiled(
        replace(runtime, detector=SimpleNamespace(name="yunet", weights=path))
    ).to_dict()["weights"]
    assert network == profiled(runtime).to_dict()["weights"][0]
    assert detector == {"name": "yunet", "sha256": sha256(b"anchors").hexdigest(), "random": False}


def test_what_auto_would_rather_have_picked_is_told(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "passed_over", lambda settings, picked: {"yunet": Path("w/yunet.onnx")})
    report = profiled(runtime)
    command = "gpen-fast weights pull retinaface-resnet50"
    assert report.better == [BetterChoice("detector", "lite", command)]
    assert report.passed_over == [PassedOverFile("yunet", "w/yunet.onnx")]
    better = replace(runtime.weights, better="gpen-fast weights pull gpen-bfr-512")
    named = Settings.from_flat(detector="lite")
    report = profiled(replace(runtime, weights=better, settings=named))
    assert report.better == [BetterChoice("model", "custom-64", "gpen-fast weights pull gpen-bfr-512")]
    assert report.passed_over == []


def test_inputs_are_counted_by_what_became_of_them(runtime: Runtime) -> None:
    item = Item(Path("a.png"), Path("out/a.png"))
    plan = Plan(
        todo=[item] * 5, skipped=[item], ignored=[Path("b.txt")] * 2, failed=[(Path("c"), "unreadable")],
        notes=[(Path("d.png"), "odd")],
    )  # fmt: skip
    tally = Tally()
    tally.outcomes.update(restored=2, no_face=1, failed=1)
    tally.failed.append((Path("e.png"), "damaged"))
    tally.unwritten.append((Path("f.jsonl"), "is read-only"))
    tally.no_face.append(Path("g.png"))
    report = enhanced(runtime, recorder_of(), plan, tally=tally)
    assert report.outcomes == {"restored": 2, "no_face": 1, "ignored": 2, "skipped": 1, "failed": 2}
    assert [failed.path for failed in report.failed] == ["c", "e.png", "f.jsonl"]
    assert report.notes == [InputNote("d.png", "odd")]
    assert (report.no_face, report.images, report.not_done) == (["g.png"], 4, 1)
    assert report.throughput_per_s == 40.0


def test_first_call_and_overlap_of_a_run(runtime: Runtime) -> None:
    recorder = recorder_of(generate=90.0)
    recorder.add(span_of("generate", 60.0))
    tally = Tally()
    tally.outcomes.update(restored=1)
    report = enhanced(runtime, recorder, tally=tally)
    assert (report.first_call_ms, report.overlap_factor) == (90.0, 1.5)
    assert report.stages[4].host_ms.mean == 60.0
    nothing = enhanced(runtime, recorder_of())
    assert (nothing.first_call_ms, nothing.overlap_factor, nothing.bound_by) == (None, None, None)


def test_the_busiest_part_bounds_a_run(runtime: Runtime) -> None:
    on_device = replace(runtime, detector=SimpleNamespace(name="x", weights=None, on_host=False))
    assert enhanced(runtime, recorder_of(load=21.0, generate=10.0)).bound_by == "readers"  # two of them
    assert enhanced(runtime, recorder_of(load=19.0, generate=10.0)).bound_by == "device"
    assert enhanced(runtime, recorder_of(save=21.0, generate=10.0)).bound_by == "writers"
    assert enhanced(runtime, recorder_of(detect=21.0, generate=10.0)).bound_by == "readers"
    assert enhanced(on_device, recorder_of(detect=1.0, load=21.0, generate=10.0)).bound_by == "device"


def test_device_time_counts_for_the_worker_where_it_is_longer(runtime: Runtime) -> None:
    recorder = recorder_of(load=21.0, generate=1.0)
    recorder.add_device(recorder.series["generate"].spans[0], 11.0)
    assert enhanced(runtime, recorder).bound_by == "device"


def test_landmarks_are_told_where_they_were_asked_for(runtime: Runtime) -> None:
    assert enhanced(runtime, recorder_of()).landmarks is None
    writer = SimpleNamespace(written=3, path=Path("f.jsonl"))
    assert enhanced(runtime, recorder_of(), writer=writer).landmarks == LandmarksUse(
        saved=3, saved_to="f.jsonl"
    )
    cache = SimpleNamespace(path=Path("g.jsonl"), hits=4, misses=2, incompatible=1, unmatched=5)
    cached = enhanced(replace(runtime, detection_cache=cache), recorder_of())
    assert cached.landmarks == LandmarksUse("g.jsonl", 4, 2, 1, 5)


def test_a_run_with_nothing_to_do_has_outcomes_only() -> None:
    report = nothing_done_report(Plan(ignored=[Path("b.txt")], failed=[(Path("c"), "unreadable")]))
    assert report.outcomes == {"restored": 0, "no_face": 0, "ignored": 1, "skipped": 0, "failed": 1}
    assert report.failed == [FailedInput("c", "unreadable")]
    assert (report.device, report.wall_ms, report.stages) == (None, None, [])
