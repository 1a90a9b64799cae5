"""Workers on several devices: one that fails leaves its pictures to the others, the last one ends the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from runs import LOST
from small_runs import run_small, slowed, small_plan

from gpen_fast.errors import DeviceError
from gpen_fast.run import enhance as enhance_module
from gpen_fast.run.runtime import Runtime


@pytest.fixture
def other(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A second device, so to say: a generator of its own over the same network, in a thread of this process."""
    monkeypatch.setattr(enhance_module, "lanes_for", lambda runtime, pictures: 1)
    generator = runtime.generator
    return replace(runtime, generator=type(generator)(generator.backend, generator.batch_size))


def test_a_device_that_fails_leaves_its_pictures_to_the_other(
    runtime: Runtime, other: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers in two threads, of which one fails at its second call."""
    generator = runtime.generator
    launch, calls = other.generator.launch_no_sync, []

    def lost(crops: list[object]) -> object:
        calls.append(len(crops))
        if len(calls) > 1:
            raise RuntimeError(LOST)
        return launch(crops)

    monkeypatch.setattr(other.generator, "launch_no_sync", lost)
    # The first device is slow, so that the second gets pictures.
    monkeypatch.setattr(generator, "launch_no_sync", slowed(generator.launch_no_sync))
    report = run_small(runtime, small_plan(tmp_path, 30), other)
    assert report.outcomes["restored"] == 30
    assert len(list((tmp_path / "out").glob("*.png"))) == 30
    assert len(calls) == 2
    first, second = report.devices
    assert first.error == ""
    assert second.error.startswith("the GPU failed in")
    assert first.pictures + second.pictures == 30


def test_the_last_device_that_fails_ends_the_run(
    runtime: Runtime, other: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(crops: list[object]) -> object:
        raise RuntimeError(LOST)

    for each in (runtime, other):
        monkeypatch.setattr(each.generator, "launch_no_sync", lost)
    with pytest.raises(DeviceError, match="the GPU failed in"):
        run_small(runtime, small_plan(tmp_path, 12), other)
