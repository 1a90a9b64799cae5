"""The network in a process of its own: the same faces, and every way in which that process may end."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest
import torch

from gpen_fast.errors import DeviceError, GenerateError
from gpen_fast.run.live import aside
from gpen_fast.run.live.aside import GeneratorAside, network_aside
from gpen_fast.stages.generate.runner import Generator

CROPS = [torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8) for _ in range(2)]


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "cores_beside", lambda threads: 1)


def children() -> list[str]:
    return [each.name for each in multiprocessing.active_children() if each.name == "gpen-fast-network"]


def test_the_faces_are_those_of_this_process(one_core, steps) -> None:
    own = steps[0].runtime.generator
    wanted = own.settle(own.launch_no_sync(CROPS))
    with network_aside(steps) as given:
        generator = given[0].runtime.generator
        assert isinstance(generator, GeneratorAside)
        assert generator is given[1].runtime.generator
        made = generator.settle(generator.launch_no_sync(CROPS))
        assert [each.name for each in given] == [each.name for each in steps]
        assert len(children()) == 1
    assert all((one.int() - other.int()).abs().max() <= 1 for one, other in zip(wanted, made, strict=True))
    assert not children()


def test_with_several_cores_the_network_stays_here(steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "cores_beside", lambda threads: 3)
    with network_aside(steps) as given:
        assert given is steps


def test_a_face_that_fails_and_an_error_come_back(one_core, steps, monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Generator.settle

    def failing(self, launched):
        if len(launched.crops) == 1:
            raise ValueError("no such network")
        return [GenerateError("one colour"), *settle(self, launched)[1:]]

    own, monkeypatched = steps[0].runtime.generator, monkeypatch
    monkeypatched.setattr(own, "settle", failing.__get__(own))
    with network_aside(steps) as given:
        generator = given[0].runtime.generator
        first, second = generator.settle(generator.launch_no_sync(CROPS))
        assert str(first) == "one colour"
        assert second.shape == (3, 64, 64)
        with pytest.raises(ValueError, match="no such network"):
            generator.settle(generator.launch_no_sync(CROPS[:1]))


def test_a_process_that_was_killed_is_told(one_core, steps) -> None:
    with network_aside(steps) as given:
        (child,) = (each for each in multiprocessing.active_children() if each.name == "gpen-fast-network")
        os.kill(child.pid or 0, signal.SIGKILL)
        generator = given[0].runtime.generator
        with pytest.raises(DeviceError, match=r"has ended by signal 9 \(SIGKILL\)"):
            generator.settle(generator.launch_no_sync(CROPS))
    assert not children()
