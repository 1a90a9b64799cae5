"""Each kernel gives, bit for bit, what the torch operations give; where none can run, those serve."""

from __future__ import annotations

import os
import warnings

import pytest
import torch
from launches import compiled, launches
from png_pictures import KINDS, TYPES, make

from gpen_fast.errors import DeviceError
from gpen_fast.png import encode, encode_pngs, kernels
from gpen_fast.png.by_torch import on_device_by_torch
from gpen_fast.png.encode import on_device

CUDA = torch.device("cuda", 0)
# Compute capabilities; each costs half a minute the first time, "80 90 120" for more than one.
CAPABILITIES = [int(each) for each in os.environ.get("GPEN_FAST_CAPABILITIES", "90").split()]


def test_interpreted_kernels_equal_the_torch_operations(failures_of: dict[str, str]) -> None:
    assert failures_of["encode"] == ""


@pytest.fixture
def by_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")
    monkeypatch.setattr(encode, "kernels_usable", lambda tensor: True)


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.usefixtures("by_kernels")
def test_kernels_compile_for_gpus_that_are_not_here(capability: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with launches(monkeypatch) as found:
        on_device(torch.zeros(2, 3, 40, 50, dtype=torch.uint8), False)
        rest = len(found)
        on_device(torch.zeros(1, 4, 40, 50, dtype=torch.uint16), False)
    # What follows the filter does not know samples.
    for launch in [*found[:rest], *found[rest : rest + 2]]:
        needs = compiled(launch, capability)
        assert needs.stack == 0, f"{launch.name} spills registers"
        assert needs.shared <= 48 << 10, launch.name


@pytest.mark.usefixtures("by_kernels")
@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (32, 3, 64, 64), (1, 4, 3000, 100), (7, 1, 5, 5)], ids=str)
def test_few_launches_for_any_number_of_pictures(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = torch.zeros(1, 1, 1, 1, dtype=torch.uint8).expand(shape)
    with launches(monkeypatch) as found:
        on_device(pixels, False)  # constants go to the device once
    with launches(monkeypatch) as found, torch.profiler.profile() as profiled:
        on_device(pixels, False)
    names = [event.name for event in profiled.events()]
    assert len(found) <= 9
    assert names.count("aten::zeros") == 1
    quiet = {"empty", "zeros", "view", "slice", "select", "split", "as_strided", "expand", "zero_", "fill_", "unbind",
             "detach", "split_with_sizes", "narrow"}  # fmt: skip
    assert {name for name in names if name.startswith("aten::")} <= {f"aten::{name}" for name in quiet}


def test_without_a_gpu_the_torch_operations_serve() -> None:
    assert not kernels.kernels_usable(torch.zeros(1))


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_tried", {})


@pytest.mark.usefixtures("untried")
def test_kernels_that_cannot_run_are_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(device: torch.device) -> None:
        raise ImportError("No module named 'triton'")

    monkeypatch.setattr(kernels, "_try", fail)
    said = r"PNG on cuda:0: Triton's kernels cannot be used \(ImportError: No module named 'triton'\)\. Plain torch"
    with pytest.warns(RuntimeWarning, match=said):
        assert not kernels.kernels_work_on(CUDA)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not kernels.kernels_work_on(CUDA)


@pytest.mark.usefixtures("untried")
def test_kernels_that_give_other_bytes_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("gpen_fast.png.kernels.encode")

    def wrong(pixels: torch.Tensor, keep_rgb: bool) -> tuple[torch.Tensor, torch.Tensor]:
        framed, facts = on_device_by_torch(pixels, keep_rgb)
        parts = [one[:size] for one, size in zip(framed, facts[:, 0].tolist(), strict=True)]
        parts[-1] = parts[-1] ^ spoilt
        return torch.cat(parts), facts

    monkeypatch.setattr(module, "on_device_by_kernels", wrong)
    cpu, spoilt = torch.device("cpu"), 0
    kernels._try(cpu)
    spoilt = 1
    with pytest.raises(DeviceError, match="other bytes on cpu"):
        kernels._try(cpu)
    with pytest.warns(RuntimeWarning, match="other bytes"):
        assert not kernels.kernels_work_on(cpu)


@pytest.mark.usefixtures("untried")
def test_full_memory_says_nothing_of_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(device: torch.device) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(kernels, "_try", full)
    with pytest.raises(torch.OutOfMemoryError):
        kernels.kernels_work_on(CUDA)
    monkeypatch.setattr(kernels, "_try", lambda device: None)
    assert kernels.kernels_work_on(CUDA)


@pytest.mark.cuda
def test_kernels_work_here() -> None:
    assert kernels.kernels_work_on(CUDA)


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_compiled_kernels_write_what_torch_operations_write(channels: int, dtype: torch.dtype) -> None:
    for height, width in ((1, 1), (7, 1), (301, 203), (5000, 37), (3, 20_011), (600, 500)):
        kinds = [make(kind, (channels, height, width), dtype).int() for kind in KINDS]
        pixels = torch.stack(kinds).to(dtype)
        wanted = encode_pngs(pixels)
        assert encode_pngs(pixels.cuda()) == wanted, (height, width)
        turned = pixels.int().transpose(2, 3).contiguous().transpose(2, 3).to(dtype).cuda()
        assert encode_pngs(turned, keep_rgb=True) == encode_pngs(pixels, keep_rgb=True), (height, width)


@pytest.mark.cuda
def test_same_bytes_time_after_time() -> None:
    """Atomic additions come in any order."""
    pixels = torch.stack([make("smooth", (3, 700, 900), torch.uint8, seed) for seed in range(4)])
    wanted = encode_pngs(pixels)
    assert all(encode_pngs(pixels.cuda()) == wanted for _ in range(20))


@pytest.mark.cuda
def test_few_launches_on_cuda() -> None:
    pixels = make("smooth", (3, 512, 512), torch.uint8).cuda()[None]
    encode_pngs(pixels)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiled:
        encode_pngs(pixels)
        torch.cuda.synchronize()
    assert len([event for event in profiled.events() if event.device_type.name == "CUDA"]) <= 13
