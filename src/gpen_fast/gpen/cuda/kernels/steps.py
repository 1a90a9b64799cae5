"""The steps as one set: by kernels where they can run, by torch, and whether both give the same here."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gpen_fast.device.precision import arithmetic
from gpen_fast.device.threads import seeded
from gpen_fast.errors import kind_and_line
from gpen_fast.gpen.cuda.kernels import blur, dense, modulate, same, up
from gpen_fast.gpen.cuda.kernels.dense import DenseLayer
from gpen_fast.gpen.cuda.kernels.modulate import modulation
from gpen_fast.gpen.cuda.kernels.rows import packed, storages
from gpen_fast.gpen.cuda.kernels.same import ToRGBParams
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams

# Relative L2 within which a kernel and its reference round alike; a wrong index is off by far more.
SAME = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}
# More than one program in each direction, and one that is not full.
_SHAPE = (2, 80, 12, 20)


@dataclass(frozen=True)
class Steps:
    """All work but convolutions; signatures as in the kernels' files."""

    dense: Callable[..., Tensor]
    modulate: Callable[..., tuple[Tensor, Tensor, Tensor]]
    blur: Callable[..., Tensor]
    end_up: Callable[..., Tensor]
    end_same: Callable[..., tuple[Tensor | None, Tensor]]


BY_KERNEL = Steps(dense.dense, modulate.modulate, blur.blur, up.end_up, same.end_same)
BY_TORCH = Steps(
    dense.dense_by_torch,
    modulate.modulate_by_torch,
    blur.blur_by_torch,
    up.end_up_by_torch,
    same.end_same_by_torch,
)


@cache
def trouble(device: torch.device, dtype: torch.dtype, steps: Steps = BY_KERNEL) -> str:
    """Why `steps` must not run on this device, in words; empty where they may. Tried once a process.

    Triton may be missing, know no such GPU, lack a compiler for its launcher, or compile to something wrong.
    """
    try:
        # cuDNN's own default is TF32: the references would be rounded by more than the kernels may differ.
        with arithmetic("fp32", device):
            return _difference(device, dtype, steps)
    except Exception as error:
        return kind_and_line(error)


def _difference(device: torch.device, dtype: torch.dtype, steps: Steps) -> str:
    for name, arguments in _examples(device, dtype):
        wanted, found = (getattr(each, name)(*arguments) for each in (BY_TORCH, steps))
        pairs = zip(wanted, found, strict=True) if isinstance(wanted, tuple) else [(wanted, found)]
        for one, other in pairs:
            if (one is None) != (other is None) or (one is not None and not alike(other, one, dtype)):
                return f"the kernel {name} gives something else than its reference"
    return ""


def alike(got: Tensor, wanted: Tensor, dtype: torch.dtype) -> bool:
    """Whether two tensors differ by no more than the rounding of `dtype`; not so for NaN."""
    apart = (got.float() - wanted.float()).norm() / wanted.float().norm()
    return bool(apart <= SAME[dtype])


def _examples(device: torch.device, dtype: torch.dtype) -> Iterator[tuple[str, tuple[Any, ...]]]:
    batch, channels, height, width = _SHAPE
    numbers = seeded(5)

    def exact(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=numbers).to(device)

    def picture(height: int, width: int) -> Tensor:
        return exact(batch, channels, height, width).to(dtype, memory_format=NHWC)

    linear, sums = storages(dtype)
    first = DenseLayer(packed(exact(70, 4 * channels), linear), exact(70), input_bias=exact(channels))
    yield "dense", (exact(batch, 4 * channels).to(dtype), first)
    yield "dense", (exact(9, 70), DenseLayer(packed(exact(90, 70), linear), exact(90), False, True))
    # Widths without padding between layers: what stands there may differ.
    squares, colours = [exact(48, 80).square(), exact(16, 32).square()], [exact(3, 64)]
    yield "modulate", (exact(batch, 176) * 1e4, modulation(squares, colours, sums))
    epilogue = EpilogueParams(exact(channels), exact(channels), 0.4, exact(channels))
    feature, scale = picture(height, width), exact(batch, channels + 3)[:, :channels]
    following = exact(batch, 2, 2 * channels)[:, 1]
    shown = ToRGBParams(exact(batch, 3, 2 * channels), exact(3), exact(batch, 3, height // 2, width // 2))
    yield "blur", (feature, epilogue.bias)
    yield "end_up", (picture(height + 1, width + 1), feature, scale, epilogue, following)
    raw = picture(height, width)
    yield "end_same", (raw, feature, scale, epilogue, following, shown)
    yield "end_same", (raw, feature, scale, epilogue, None, ToRGBParams(shown.weight, shown.bias, None))


@cache
def warn_once(note: str) -> None:
    """A Python warning for those who have no report to read; the same one once a process."""
    warnings.warn(note, RuntimeWarning, stacklevel=3)
