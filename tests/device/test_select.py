"""A device that is named is used or refused, never replaced."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.device import select as select_module
from gpen_fast.device.select import describe, pick_device, pick_devices
from gpen_fast.errors import DeviceError, SettingsError
from gpen_fast.settings import cpu_lanes

CPU = torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_absent_gpu_is_an_error_that_names_the_alternative() -> None:
    with pytest.raises(DeviceError, match=r"device 'cuda' is not there: .*Try --device cpu"):
        pick_device("cuda")
    assert pick_device("auto") == CPU


def test_unknown_device() -> None:
    for name in ("gpu", "meta", "cuda:x"):
        with pytest.raises(SettingsError, match=f"device '{name}': accepted are auto, cpu, cuda and cuda:N"):
            pick_device(name)


def test_a_gpu_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("auto") == pick_device("cuda") == torch.device("cuda", 0)
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(
        DeviceError, match=r"device 'cuda:2' is not there: 2 GPU\(s\) found, numbered from cuda:0"
    ):
        pick_device("cuda:2")


def test_a_device_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert describe(CPU) == f"cpu, {torch.get_num_threads()} threads"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100")
    assert describe(torch.device("cuda", 1)) == "cuda:1 NVIDIA H100"


def test_several_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    cuda = [torch.device("cuda", number) for number in range(3)]
    assert pick_devices("all") == cuda
    assert pick_devices("0,2") == pick_devices("cuda:0, cuda:2") == [cuda[0], cuda[2]]
    with pytest.raises(DeviceError, match=r"device 'cuda:3' is not there: 3 GPU"):
        pick_devices("0,3")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_devices("all") == [CPU]


def test_processes_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_module, "can_fork", lambda: True)
    assert pick_devices("cpu:4") == [CPU]
    assert [cpu_lanes(asked) for asked in ("cpu:4", "cpu", "cpu:", "cuda:1", "0,1", "all")] == [
        4,
        0,
        0,
        0,
        0,
        0,
    ]
    monkeypatch.setattr(select_module, "can_fork", lambda: False)
    with pytest.raises(DeviceError, match="only Linux has several processes on a CPU"):
        pick_devices("cpu:4")


@pytest.mark.parametrize("asked", ["", "cpu", "cpu:0", "cpu:x", "0,0", "0;1", "gpu", "1,cpu:2"])
def test_devices_that_are_none(asked: str) -> None:
    with pytest.raises(SettingsError, match="accepted are all, different GPU numbers such as 0,1, and cpu:N"):
        pick_devices(asked)
