"""The kernels as one set: by Triton where they can run, by their torch references, and whether both agree here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.precision import arithmetic
from gpen_fast.device.threads import seeded
from gpen_fast.errors import kind_and_line
from gpen_fast.gpen.cuda.kernels import blur, dense, modulate, same, up
from gpen_fast.gpen.cuda.kernels.dense import DenseLayer
from gpen_fast.gpen.cuda.kernels.modulate import ModulationPlan, plan_modulation
from gpen_fast.gpen.cuda.kernels.rows import pack_rows, storage_dtypes
from gpen_fast.gpen.cuda.kernels.same import ToRGBParams
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams

_Results = Tensor | tuple[Tensor | None, ...]
# Most relative L2 between a kernel and its reference, which round alike; a wrong index is off by far more.
_MOST_ERROR = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}
# Batch, channels, height, width of the examples: several programs in each direction, of which one is not full.
_SHAPE = (2, 80, 12, 20)


@dataclass(frozen=True)
class KernelSet:
    """All work between the convolutions. Each field is documented in the kernel's file."""

    dense: Callable[[Tensor, DenseLayer], Tensor]
    """(B,in) to (B,out): a linear layer."""
    modulate: Callable[[Tensor, ModulationPlan], tuple[Tensor, Tensor, Tensor]]
    """Styles to every layer's scales."""
    blur: Callable[[Tensor, Tensor], Tensor]
    """(B,C,H,W) to (B,C,H+1,W+1), before a strided convolution of the encoder."""
    up_epilogue: Callable[[Tensor, Tensor, Tensor, EpilogueParams, Tensor], Tensor]
    """(B,C,H+1,W+1) to (B,2C,H,W), after an up-convolution."""
    same_epilogue: Callable[
        [Tensor, Tensor, Tensor, EpilogueParams, Tensor | None, ToRGBParams], tuple[Tensor | None, Tensor]
    ]
    """(B,C,H,W) to (B,2C,H,W) and (B,3,H,W), after a convolution that keeps its size."""


TRITON = KernelSet(dense.dense, modulate.modulate, blur.blur, up.up_epilogue, same.same_epilogue)
"""Triton's kernels on CUDA; on a CPU each is its reference."""
REFERENCE = KernelSet(
    dense.dense_by_torch,
    modulate.modulate_by_torch,
    blur.blur_by_torch,
    up.up_epilogue_by_torch,
    same.same_epilogue_by_torch,
)
"""The torch references, on any device."""


# Device, dtype and kernels -> what the trial said.
_tried: dict[tuple[torch.device, torch.dtype, KernelSet], str] = {}


def kernel_failure(device: torch.device, dtype: torch.dtype, kernels: KernelSet = TRITON) -> str:
    """Why the kernels must not be used on this device, in words; empty where they may.

    Triton may be missing, not know the GPU, lack a compiler for its launcher, or compile to something wrong. They are
    tried once in a process; a trial that ran out of memory is repeated when it is asked for again.

    Args:
        device: Where the kernels would run.
        dtype: Of activations.
        kernels: The set to be tried.
    """
    key = (device, dtype, kernels)
    if key in _tried:
        return _tried[key]
    try:
        # cuDNN's default is TF32, which would round the references by more than the kernels may differ.
        with arithmetic("fp32", device):
            failure = _difference(device, dtype, kernels)
    # broad: Triton, its compilers and the driver raise errors of any type; torch serves instead
    except Exception as error:
        failure = kind_and_line(error)
        if is_out_of_memory(error):
            return failure
    _tried[key] = failure
    return failure


def _difference(device: torch.device, dtype: torch.dtype, kernels: KernelSet) -> str:
    """Which kernel differs from its reference; empty where none does."""
    for name, call in _examples(device, dtype):
        for wanted, got in zip(_as_tuple(call(REFERENCE)), _as_tuple(call(kernels)), strict=True):
            equal = wanted is got if wanted is None or got is None else is_close(got, wanted, dtype)
            if not equal:
                return f"the kernel {name} gives something else than its reference"
    return ""


def _as_tuple(results: _Results) -> tuple[Tensor | None, ...]:
    return results if isinstance(results, tuple) else (results,)


def is_close(got: Tensor, wanted: Tensor, dtype: torch.dtype) -> bool:
    """Whether two tensors differ by no more than the rounding of `dtype`, in relative L2; never with NaN."""
    error = (got.float() - wanted.float()).norm() / wanted.float().norm()
    return bool(error <= _MOST_ERROR[dtype])


def _examples(
    device: torch.device, dtype: torch.dtype
) -> Iterator[tuple[str, Callable[[KernelSet], _Results]]]:
    """A kernel's name and a call of it, the same for every set."""
    batch, channels, height, width = _SHAPE
    numbers = seeded(5)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=numbers).to(device)

    def feature_map(height: int, width: int) -> Tensor:
        return normal(batch, channels, height, width).to(dtype, memory_format=NHWC)

    linear, sums = storage_dtypes(dtype)
    first = DenseLayer(pack_rows(normal(70, 4 * channels), linear), normal(70), input_bias=normal(channels))
    flat = normal(batch, 4 * channels).to(dtype)
    yield "dense", lambda kernels: kernels.dense(flat, first)
    latent = normal(9, 70)
    second = DenseLayer(pack_rows(normal(90, 70), linear), normal(90), activated=False, normalised=True)
    yield "dense", lambda kernels: kernels.dense(latent, second)
    # Widths that are multiples of 16: between layers output scales are undefined, and could not be compared.
    squares, rgb_weights = [normal(48, 80).square(), normal(16, 32).square()], [normal(3, 64)]
    styles, plan = normal(batch, 176) * 1e4, plan_modulation(squares, rgb_weights, sums)
    yield "modulate", lambda kernels: kernels.modulate(styles, plan)
    epilogue = EpilogueParams(normal(channels), normal(channels), 0.4, normal(channels))
    # Slices of wider tensors, as the network gives them.
    feature, scale = feature_map(height, width), normal(batch, channels + 3)[:, :channels]
    next_scale = normal(batch, 2, 2 * channels)[:, 1]
    to_rgb = ToRGBParams(normal(batch, 3, 2 * channels), normal(3), normal(batch, 3, height // 2, width // 2))
    yield "blur", lambda kernels: kernels.blur(feature, epilogue.bias)
    large = feature_map(height + 1, width + 1)
    yield "up_epilogue", lambda kernels: kernels.up_epilogue(large, feature, scale, epilogue, next_scale)
    raw = feature_map(height, width)
    yield (
        "same_epilogue",
        lambda kernels: kernels.same_epilogue(raw, feature, scale, epilogue, next_scale, to_rgb),
    )
    last = ToRGBParams(to_rgb.weight, to_rgb.bias, None)
    yield (
        "same_epilogue",
        lambda kernels: kernels.same_epilogue(raw, feature, scale, epilogue, None, last),
    )
