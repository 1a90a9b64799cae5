"""Each kernel of the generator gives what its torch reference gives, or does not run."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers import ROOT
from interpreter import compiled_for_hopper, run_interpreted
from torch import Tensor

from gpen_fast.gpen.cuda.kernels import steps
from gpen_fast.gpen.cuda.kernels._jit import OPTIONS
from gpen_fast.gpen.cuda.kernels.steps import BY_KERNEL, BY_TORCH, trouble
from gpen_fast.gpen.cuda.kernels.up import end_up_by_kernel, end_up_by_torch
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams
from gpen_fast.gpen.layers import Blur, FusedLeakyReLU

CPU = torch.device("cpu")
DTYPES = [torch.float32, torch.float16, torch.bfloat16]
TYPES = {"height": "i32", "width": "i32", "skip_scale": "fp32"}
TYPES |= {f"{name}_stride": "i32" for name in ("scale", "following", "weight", "colour")}
BIG = ("raw", "feature", "out")
CONSTANTS: dict[str, Any] = {"WRITTEN": True, "ADDED": True, "LEAK": 0.2}


@pytest.fixture(autouse=True)
def _tried_anew() -> Iterator[None]:
    trouble.cache_clear()
    yield
    trouble.cache_clear()


def test_interpreted_kernels_equal_their_references() -> None:
    run_interpreted(ROOT / "tests/support/interpreted_steps.py")


@pytest.mark.parametrize("channels", [8, 64])
@pytest.mark.parametrize(("module", "name"), [("blur", "_blur"), ("up", "_end_up"), ("same", "_end_same")])
def test_kernels_compile_for_a_gpu_that_is_not_here(module: str, name: str, channels: int) -> None:
    pytest.importorskip("triton")
    kernel = getattr(importlib.import_module(f"gpen_fast.gpen.cuda.kernels.{module}"), name)
    types = dict.fromkeys(kernel.arg_names, "*fp32") | dict.fromkeys(BIG, "*fp16") | TYPES
    tile = {"channels": channels, "C": channels, "X": 1024 // channels, "P": 2048 // channels}
    constants = {key: value for key, value in (CONSTANTS | tile).items() if key in kernel.arg_names}
    assembly = compiled_for_hopper(kernel, types, constants, OPTIONS)
    # Half precision goes 16 bytes at a time, the most that one access can move.
    assert "ld.global.v4" in assembly
    assert "st.global.v4" in assembly
    assert ".global.b16" not in assembly


def test_the_blurs_reference_is_the_networks_own_layers() -> None:
    layer, feature = FusedLeakyReLU(5), torch.randn(2, 5, 6, 8)
    layer.bias.data = torch.randn(5)
    with torch.no_grad():
        wanted = Blur(pad=(2, 2))(layer(feature))
        found = BY_TORCH.blur(feature, layer.bias) * 2**0.5
    assert torch.allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_no_trouble_where_nothing_is_wrong(dtype: torch.dtype) -> None:
    assert trouble(CPU, dtype, BY_TORCH) == ""


@pytest.mark.parametrize("name", ["dense", "modulate", "blur", "end_up", "end_same"])
def test_a_kernel_that_gives_something_else_is_trouble(name: str) -> None:
    def wrong(*arguments: Any) -> Any:
        result = getattr(BY_TORCH, name)(*arguments)
        parts = result if isinstance(result, tuple) else (result,)
        for part in parts:
            if part is not None:
                part[(-1,) * part.ndim] += part.abs().max()
        return result

    told = trouble(CPU, torch.float16, replace(BY_TORCH, **{name: wrong}))
    assert told == f"the kernel {name} gives something else than its reference"


def test_nan_is_trouble() -> None:
    nothing = replace(BY_TORCH, blur=lambda *given: BY_TORCH.blur(*given) * float("nan"))
    assert "blur gives something else" in trouble(CPU, torch.float32, nothing)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModuleNotFoundError("No module named 'triton'"), "ModuleNotFoundError: No module named 'triton'"),
        (RuntimeError("no compiler\nand much more"), "RuntimeError: no compiler"),
        (NotImplementedError(), "NotImplementedError"),
    ],
)
def test_a_kernel_that_does_not_run_is_trouble_told_in_one_line(error: Exception, told: str) -> None:
    def fails(*arguments: Any) -> Tensor:
        raise error

    assert trouble(CPU, torch.float16, replace(BY_TORCH, end_up=fails)) == told


def test_references_are_not_rounded_to_tf32() -> None:
    modes: list[str] = []

    def noted(*arguments: Any) -> Tensor:
        switches: Any = torch.backends.cudnn.conv, torch.backends.cuda.matmul
        modes.extend(switch.fp32_precision for switch in switches)
        return BY_TORCH.blur(*arguments)

    assert trouble(CPU, torch.float32, replace(BY_TORCH, blur=noted)) == ""
    assert set(modes) == {"ieee"}


def test_trouble_is_looked_for_once() -> None:
    calls: list[int] = []

    def counted(*arguments: Any) -> Tensor:
        calls.append(1)
        return BY_TORCH.blur(*arguments)

    counting = replace(BY_TORCH, blur=counted)
    assert trouble(CPU, torch.float16, counting) == trouble(CPU, torch.float16, counting) == ""
    assert len(calls) == 1


def test_a_warning_comes_once() -> None:
    with pytest.warns(RuntimeWarning, match="not used on cuda:7"):
        steps.warn_once("kernels are not used on cuda:7")
    steps.warn_once("kernels are not used on cuda:7")


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_compiled_kernels_equal_their_references(dtype: torch.dtype) -> None:
    assert trouble(torch.device("cuda", 0), dtype, BY_KERNEL) == ""


@pytest.mark.cuda
def test_offsets_beyond_32_bits() -> None:
    """The last of many faces is as it is alone."""
    if torch.cuda.mem_get_info()[0] < 20e9:
        pytest.skip("needs 20 GB of device memory")
    batch, channels, side = 5, 256, 1024
    assert batch * 2 * channels * side * side > 2**31
    on_device = {"device": "cuda", "dtype": torch.float16}
    raw = torch.randn(batch, channels, side + 1, side + 1, **on_device).contiguous(memory_format=NHWC)  # type: ignore[call-overload]
    feature = torch.randn(batch, channels, side, side, **on_device).contiguous(memory_format=NHWC)  # type: ignore[call-overload]
    vector = torch.randn(channels, device="cuda")
    epilogue = EpilogueParams(vector, vector, 0.3, vector)
    scale, following = (
        torch.randn(batch, channels, device="cuda"),
        torch.randn(batch, 2 * channels, device="cuda"),
    )
    whole = end_up_by_kernel(raw, feature, scale, epilogue, following)
    alone = end_up_by_torch(raw[-1:], feature[-1:], scale[-1:], epilogue, following[-1:])
    assert steps.alike(whole[-1:], alone, torch.float16)
