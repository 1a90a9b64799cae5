"""A device that is named is used or refused, never replaced."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.device.select import describe, pick_device
from gpen_fast.errors import DeviceError, SettingsError

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
