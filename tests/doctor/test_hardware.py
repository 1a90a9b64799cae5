"""Precisions and kernels are really run, and a wrong result is a finding."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import torch

from gpen_fast.device import select
from gpen_fast.doctor import hardware
from gpen_fast.gpen.cuda.kernels import kernel_set
from gpen_fast.settings import WeightsOptions


def test_precision_that_computes_wrongly_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_error_of", lambda name, where: 0.5)
    fp32 = next(one for one in hardware.precisions("cpu") if one.name == "fp32")
    assert fp32.state == "broken"
    assert fp32.needed
    assert "wrong results, accepted is at most 1e-05" in fp32.text


@pytest.mark.parametrize(
    ("why", "state", "text"),
    [
        ("", "ok", "compiled, and equal to torch"),
        ("No module named 'triton'", "broken", "No module named 'triton'"),
    ],
)
def test_kernels_are_tried_on_a_gpu(why: str, state: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "pick_device", lambda asked: torch.device("cuda", 0))
    monkeypatch.setattr(kernel_set, "kernel_failure", lambda where, dtype: why)
    (found,) = hardware.kernels("auto")
    assert (found.state, found.text, found.needed) == (state, text, False)
    assert bool(found.mend) == bool(why)


def test_kernels_are_not_tried_on_a_cpu() -> None:
    assert list(hardware.kernels("cpu")) == []


def test_precisions_are_really_run() -> None:
    errors = {name: hardware._error_of(name, torch.device("cpu")) for name in ("fp32", "bf16")}
    assert 0 < errors["fp32"] < 1e-6
    assert 1e-4 < errors["bf16"] < 3e-2, "bf16 is not fp32 under another name"


@pytest.mark.cuda
def test_precisions_on_cuda() -> None:
    found = {one.name: one for one in hardware.precisions("cuda")}
    assert {name for name, one in found.items() if one.state == "ok"} >= {"fp32", "fp16"}
    assert not [one for one in found.values() if one.state == "broken"]
    assert hardware._error_of("tf32", torch.device("cuda")) > 10 * hardware._error_of(
        "fp32", torch.device("cuda")
    )


def test_driver_tool_that_is_missing_or_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (FileNotFoundError(), subprocess.TimeoutExpired("nvidia-smi", 1)):

        def fail(*arguments: object, _error: Exception = error, **named: object) -> None:
            raise _error

        monkeypatch.setattr(subprocess, "run", fail)
        monkeypatch.setattr(Path, "is_file", lambda self: False)
        assert hardware._driver() is None


def test_space_is_reported_for_folders_that_do_not_exist_yet(tmp_path: Path) -> None:
    found = {
        one.name: one for one in hardware.space("cpu", WeightsOptions(weights_dir=str(tmp_path / "not/yet")))
    }
    assert found["disk: weights"].text.endswith(f"GiB free ({tmp_path / 'not/yet'})")
    assert found["disk: here"].state == "ok"
    assert "GPU memory" not in found


def test_a_device_that_is_not_here_is_needed_and_broken() -> None:
    found = {one.name: one for one in hardware.device("cuda:77")}
    assert (found["device"].state, found["device"].needed) == ("broken", True)
    assert found["device"].mend == "--device cpu, or auto"
    assert found["torch"].text.startswith(torch.__version__)


@pytest.mark.parametrize(
    ("version", "cuda", "hip", "shown"),
    [
        ("2.14.1+cpu", None, None, "2.14.1+cpu, build cpu (no CUDA)"),
        ("2.14.1+cu126", "12.6", None, "2.14.1+cu126, build cu126 (CUDA 12.6)"),
        ("2.14.1", "13.0", None, "2.14.1, build cu130 (CUDA 13.0)"),
        ("2.14.1", None, "6.4", "2.14.1, build rocm6.4 (no CUDA)"),
        ("2.14.1", None, None, "2.14.1, build cpu (no CUDA)"),
    ],
)
def test_the_build_of_torch_is_named_as_pytorchs_index_names_it(
    version: str, cuda: str | None, hip: str | None, shown: str
) -> None:
    assert hardware._torch_build(version, cuda, hip) == shown
