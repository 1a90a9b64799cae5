"""oneDNN's convolutions through PyTorch: bias and leaky ReLU in the same pass, weights laid out once.

torch.ops.mkldnn is what torch.compile itself calls on a CPU, and no public interface: `available` tries it once,
and whoever uses this falls back to plain PyTorch where it says no.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

NHWC = torch.channels_last
DTYPES = (torch.float32, torch.bfloat16)
_ops: Any = torch.ops.mkldnn
# That a pixelwise weight is laid out for; other numbers take the same layout or are laid out again by oneDNN.
_PIXELS = 64 * 64
# Relative L2 of a try: two sums in another order, and bfloat16's rounding.
_CLOSE = {torch.float32: 1e-5, torch.bfloat16: 1e-2}


class Conv:
    """A convolution or, with `up`, a transposed one: (B,in,H,W) to (B,out,H',W'), NHWC, in the weight's dtype.

    weight: (out,in/groups,k,k), transposed (in,out,k,k), float32 or bfloat16. side: pixels of the input's side,
    for which oneDNN lays the weight out as it likes; None leaves it as it is, to be given with each call.
    slope: of the leaky ReLU in `activated`; 0.2 is GPEN's.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        side: int | None = None,
        *,
        padding: int = 0,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        up: bool = False,
        slope: float = 0.2,
    ) -> None:
        pad, step, apart, none = [padding] * 2, [stride] * 2, [dilation] * 2, [0, 0]
        self._geometry = (pad, none, step, apart, groups) if up else (pad, step, apart, groups)
        self._leak = [slope]
        self._run = (_ops._convolution_transpose_pointwise if up else _ops._convolution_pointwise).default
        self.weight = weight
        if weight is not None and side is not None:
            pack = _ops._reorder_convolution_transpose_weight if up else _ops._reorder_convolution_weight
            channels = weight.shape[0] if up else weight.shape[1] * groups
            self.weight = pack(weight.contiguous(), *self._geometry, [1, channels, side, side])

    def __call__(self, x: Tensor, bias: Tensor | None = None, *, weight: Tensor | None = None) -> Tensor:
        """bias: (out,) float32, contiguous."""
        given = self.weight if weight is None else weight
        return self._run(x, given, bias, *self._geometry, "none", [], "")

    def activated(self, x: Tensor, bias: Tensor | None, *, weight: Tensor | None = None) -> Tensor:
        """The same with a leaky ReLU after the bias."""
        given = self.weight if weight is None else weight
        return self._run(x, given, bias, *self._geometry, "leaky_relu", self._leak, "")


class Pixelwise:
    """A 1x1 convolution as the matrix product that it is in NHWC: quicker to set up, and to compute.

    weight: (out,in) float32 or bfloat16. slope: of the leaky ReLU in `activated`.
    """

    def __init__(self, weight: Tensor, slope: float = 0.2) -> None:
        self._weight, self._leak = _ops._reorder_linear_weight(weight, _PIXELS), [slope]
        self._run = _ops._linear_pointwise.default

    def __call__(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(B,in,H,W) in NHWC to (B,out,H,W) in NHWC."""
        return self._run(x.permute(0, 2, 3, 1), self._weight, bias, "none", [], "").permute(0, 3, 1, 2)

    def activated(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """The same with a leaky ReLU after the bias."""
        made = self._run(x.permute(0, 2, 3, 1), self._weight, bias, "leaky_relu", self._leak, "")
        return made.permute(0, 3, 1, 2)


@cache
def available(dtype: torch.dtype) -> bool:
    """Whether this build of PyTorch and this processor do what these classes promise, found out by a small try."""
    if dtype not in DTYPES:
        return False
    try:
        return _convolves(dtype) and _convolves_up(dtype) and _multiplies(dtype)
    except (AttributeError, RuntimeError, TypeError):
        return False


def _convolves(dtype: torch.dtype) -> bool:
    x, weight, bias = _tried(dtype)
    wanted = F.leaky_relu(F.conv2d(x.float(), weight.float(), bias, padding=1), 0.2)
    conv = Conv(weight, 8, padding=1)
    return _near(conv.activated(x, bias), wanted) and _near(conv.activated(x, bias, weight=weight), wanted)


def _convolves_up(dtype: torch.dtype) -> bool:
    x, weight, _ = _tried(dtype)
    wanted = F.conv_transpose2d(x.float(), weight.float(), stride=2)
    conv = Conv(weight, 8, stride=2, up=True)
    return _near(conv(x), wanted) and _near(conv(x, weight=weight), wanted)


def _multiplies(dtype: torch.dtype) -> bool:
    x, weight, bias = _tried(dtype)
    one = weight[:, :, 0, 0].contiguous()
    wanted = F.leaky_relu(F.conv2d(x.float(), one.float()[:, :, None, None], bias), 0.2)
    return _near(Pixelwise(one).activated(x, bias.to(dtype)), wanted)


def _tried(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    values = torch.linspace(-1, 2, 16 * 16 * 9)
    x = values[: 16 * 64].view(1, 16, 8, 8).to(dtype, memory_format=NHWC)
    return x, values.cos().view(16, 16, 3, 3).to(dtype), values[::144].contiguous()


def _near(got: Tensor, wanted: Tensor) -> bool:
    return bool((got.float() - wanted).norm() <= _CLOSE[got.dtype] * wanted.norm())
