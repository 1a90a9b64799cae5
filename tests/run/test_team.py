"""Threads and processes as `enhance` uses them: the same report, the slow part named, devices that fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import write_photo
from runs import LOST, BatchDetector

from gpen_fast.errors import DeviceError
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run import enhance as enhance_module
from gpen_fast.run import pipeline as pipeline_module
from gpen_fast.run import sink as sink_module
from gpen_fast.run.enhance import run_enhance
from gpen_fast.run.plan import Item, Plan
from gpen_fast.run.runtime import Runtime
from gpen_fast.settings import OutputOptions

# Seconds: longer than everything else that one of these small pictures takes.
SLOW = 0.15


class Silent:
    def advance(self, row: PictureRow) -> None:
        """Shows nothing."""


def plan_of(folder: Path, count: int) -> Plan:
    paths = [write_photo(folder / "in" / f"{i:02d}.png", seed=i) for i in range(count)]
    return Plan([Item(path, folder / "out" / path.name) for path in paths])


def run(runtime: Runtime, work: Plan, *beside: Runtime) -> Report:
    return run_enhance(runtime, work, OutputOptions(), Silent(), beside=beside)


def slowed(function: Callable[..., object]) -> Callable[..., object]:
    def slow(*given: object, **options: object) -> object:
        time.sleep(SLOW)
        return function(*given, **options)

    return slow


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
    (idle,) = run(detecting, plan_of(tmp_path, 24)).idle
    assert idle.resource == "network"
    assert idle.share > 0.3
    assert next(iter(idle.causes)) == slow
    assert sum(idle.causes.values()) == pytest.approx(idle.share, abs=0.002)


@pytest.mark.parametrize("slow", ["generate"], indirect=True)
def test_a_slow_network_waits_for_little(detecting: Runtime, tmp_path: Path, lanes: int, slow: str) -> None:
    report = run(detecting, plan_of(tmp_path, 16))
    assert report.bound_by == "device"
    assert report.idle[0].share < 0.5


def test_one_worker_has_no_row_of_its_own_and_several_have(
    runtime: Runtime, tmp_path: Path, lanes: int
) -> None:
    report = run(runtime, plan_of(tmp_path, 12))
    if lanes == 1:
        assert (report.devices, report.scaling_efficiency) == ([], None)
        return
    assert [row.name for row in report.devices] == ["cpu:0", "cpu:1"]
    assert sum(row.pictures for row in report.devices) == 12
    assert sum(row.faces for row in report.devices) == 12
    assert report.scaling_efficiency == pytest.approx(sum(row.busy for row in report.devices) / 2, abs=1e-4)
    assert [row.count for row in report.stages if row.name in ("load", "save")] == [12, 12]
    assert next(row.items for row in report.stages if row.name == "generate") == 12


def test_a_device_that_fails_leaves_its_pictures_to_the_other(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers in two threads, of which one fails at its second call."""
    monkeypatch.setattr(enhance_module, "lanes_for", lambda runtime, pictures: 1)
    generator = runtime.generator
    other = replace(runtime, generator=type(generator)(generator.backend, generator.batch_size))
    launch, calls = other.generator.launch_no_sync, []

    def lost(crops: list[object]) -> object:
        calls.append(len(crops))
        if len(calls) > 1:
            raise RuntimeError(LOST)
        return launch(crops)

    monkeypatch.setattr(other.generator, "launch_no_sync", lost)
    # The first device is slow, so that the second gets pictures.
    monkeypatch.setattr(generator, "launch_no_sync", slowed(generator.launch_no_sync))
    report = run(runtime, plan_of(tmp_path, 30), other)
    assert report.outcomes["restored"] == 30
    assert len(list((tmp_path / "out").glob("*.png"))) == 30
    assert len(calls) == 2
    first, second = report.devices
    assert first.error == ""
    assert second.error.startswith("the GPU failed in")
    assert first.pictures + second.pictures == 30


def test_the_last_device_that_fails_ends_the_run(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enhance_module, "lanes_for", lambda runtime, pictures: 1)
    generator = runtime.generator
    other = replace(runtime, generator=type(generator)(generator.backend, generator.batch_size))

    def lost(crops: list[object]) -> object:
        raise RuntimeError(LOST)

    for each in (runtime, other):
        monkeypatch.setattr(each.generator, "launch_no_sync", lost)
    with pytest.raises(DeviceError, match="the GPU failed in"):
        run(runtime, plan_of(tmp_path, 12), other)
