"""Threads and processes as `enhance` uses them: the same report, the slow part named, devices that fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import BatchDetector
from small_runs import run_small, slowed, small_plan

from gpen_fast.run import enhance as enhance_module
from gpen_fast.run import pipeline as pipeline_module
from gpen_fast.run import sink as sink_module
from gpen_fast.run.runtime import Runtime


@pytest.fixture(params=[1, 2], ids=["threads", "processes"])
def lanes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(enhance_module, "lanes_for", lambda runtime, pictures: request.param)
    return request.param


@pytest.fixture
def slow(request: pytest.FixtureRequest, detecting: Runtime, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes one part of a run slow; returns its stage."""
    stage = request.param
    if stage == "load":
        monkeypatch.setattr(pipeline_module, "load", slowed(pipeline_module.load))
    elif stage == "detect":
        monkeypatch.setattr(BatchDetector, "many", slowed(BatchDetector.many))
        monkeypatch.setattr(BatchDetector, "batch_size", 1)
    elif stage == "save":
        monkeypatch.setattr(sink_module, "write_file", slowed(sink_module.write_file))
    else:
        monkeypatch.setattr(detecting.generator, "launch_no_sync", slowed(detecting.generator.launch_no_sync))
        detecting.generator.batch_size = 1
    return stage


@pytest.mark.parametrize("slow", ["load", "detect", "save"], indirect=True)
def test_the_network_is_said_to_wait_for_the_slow_part(
    detecting: Runtime, tmp_path: Path, lanes: int, slow: str
) -> None:
    (idle,) = run_small(detecting, small_plan(tmp_path, 24)).idle
    assert idle.resource == "network"
    assert idle.share > 0.3
    assert next(iter(idle.causes)) == slow
    assert sum(idle.causes.values()) == pytest.approx(idle.share, abs=0.002)


@pytest.mark.parametrize("slow", ["generate"], indirect=True)
def test_a_slow_network_waits_for_little(detecting: Runtime, tmp_path: Path, lanes: int, slow: str) -> None:
    report = run_small(detecting, small_plan(tmp_path, 16))
    assert report.bound_by == "device"
    assert report.idle[0].share < 0.5


def test_one_worker_has_no_row_of_its_own_and_several_have(
    runtime: Runtime, tmp_path: Path, lanes: int
) -> None:
    report = run_small(runtime, small_plan(tmp_path, 12))
    if lanes == 1:
        assert (report.devices, report.scaling_efficiency) == ([], None)
        return
    assert [row.name for row in report.devices] == ["cpu:0", "cpu:1"]
    assert sum(row.pictures for row in report.devices) == 12
    assert sum(row.faces for row in report.devices) == 12
    assert report.scaling_efficiency == pytest.approx(sum(row.busy for row in report.devices) / 2, abs=1e-4)
    assert [row.count for row in report.stages if row.name in ("load", "save")] == [12, 12]
    assert next(row.items for row in report.stages if row.name == "generate") == 12
