"""Precision means one thing, and a device that was asked for is used or refused."""

from __future__ import annotations

import pytest
import torch

from gpen_fast import device as devices
from gpen_fast.device import Precision, arithmetic, pick_device, pick_precision
from gpen_fast.errors import DeviceError, SettingsError

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture(params=[True, False], ids=["bf16", "no-bf16"])
def bf16(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(devices, "cpu_has_bf16", lambda: request.param)
    return request.param


def test_precision_on_cpu(bf16: bool) -> None:
    half = "bf16" if bf16 else "fp32"
    assert pick_precision("auto", CPU) == Precision(half)
    assert str(pick_precision("half", CPU)) == f"{half} (fp16 needs CUDA)"
    assert pick_precision("bf16", CPU) == Precision("bf16")
    for name in ("fp16", "tf32"):
        with pytest.raises(DeviceError, match=f"precision {name} needs CUDA, .* Try --precision {half}"):
            pick_precision(name, CPU)


def test_precision_on_cuda() -> None:
    assert str(pick_precision("auto", CUDA)) == "fp16"
    assert str(pick_precision("half", CUDA)) == "fp16"
    assert {pick_precision(name, CUDA).name for name in ("fp32", "tf32", "bf16", "fp16")} == {
        "fp32", "tf32", "bf16", "fp16",
    }  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_absent_gpu_is_an_error_that_names_the_alternative() -> None:
    with pytest.raises(DeviceError, match=r"device 'cuda' is not there: .*Try --device cpu"):
        pick_device("cuda")
    assert pick_device("auto") == CPU


def test_unknown_device() -> None:
    for name in ("gpu", "meta", "cuda:x"):
        with pytest.raises(SettingsError, match=f"device '{name}': accepted are auto, cpu, cuda and cuda:N"):
            pick_device(name)


def modes() -> list[str]:
    backends = torch.backends
    switches = (backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.conv, backends.mkldnn.matmul)
    return [switch.fp32_precision for switch in switches]


def test_fp32_has_tf32_off_and_the_callers_switches_come_back() -> None:
    before = modes()
    torch.set_float32_matmul_precision("medium")
    try:
        chosen = modes()
        with arithmetic("fp32", CPU):
            assert modes() == ["ieee"] * 4
            assert torch.is_inference_mode_enabled()
        assert modes() == chosen
        with pytest.raises(RuntimeError), arithmetic("tf32", CPU):
            assert modes() == ["tf32", "tf32", "ieee", "ieee"]
            raise RuntimeError
        assert modes() == chosen
    finally:
        torch.set_float32_matmul_precision("highest")
    assert modes()[1:2] == before[1:2]


def test_autocast_only_for_halves() -> None:
    x = torch.ones(4, 4)
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with arithmetic(name, CPU):
            assert (x @ x).dtype == dtype
