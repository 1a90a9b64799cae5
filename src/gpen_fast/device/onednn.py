"""oneDNN's convolutions through PyTorch: bias and leaky ReLU in the same pass, weights repacked once.

nn.Conv2d repacks its weight in every call and leaves the activation to a second pass over the map.
torch.ops.mkldnn is what torch.compile calls on a CPU, and no public interface: `supports` tries it once; where it
says no, the caller uses plain PyTorch.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

NHWC = torch.channels_last
DTYPES = (torch.float32, torch.bfloat16)
# Operators of torch.ops have no types.
_Operators = Any
_ops: _Operators = torch.ops.mkldnn
# Pixels that a pointwise weight is repacked for. For other numbers oneDNN takes the same layout, or repacks in the
# call.
_PIXELS = 64 * 64
# Relative L2 between two products that add in another order and, in bfloat16, round the result.
_CLOSE = {torch.float32: 1e-5, torch.bfloat16: 1e-2}


class Conv:
    """A convolution or a transposed one: (B,in,H,W) to (B,out,H',W'), NHWC, in the weight's dtype.

    Args:
        weight: (out,in/groups,k,k), of a transposed convolution (in,out,k,k), float32 or bfloat16. None where each
            call brings its own.
        side: Side of the square input, pixels, for which oneDNN chooses the weight's layout. None leaves the
            weight as it is, to be repacked in each call.
        padding: Zeros on each side.
        stride: Step of the kernel.
        groups: Groups of channels.
        dilation: Distance between the kernel's taps.
        up: A transposed convolution.
        slope: Slope of the leaky ReLU in `activated` below zero; GPEN's is 0.2.
    """

    # The arguments are those of torch's conv2d: more than eight, and known to everyone who reads this.
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
            repack = _ops._reorder_convolution_transpose_weight if up else _ops._reorder_convolution_weight
            channels = weight.shape[0] if up else weight.shape[1] * groups
            self.weight = repack(weight.contiguous(), *self._geometry, [1, channels, side, side])

    def __call__(self, x: Tensor, bias: Tensor | None = None, *, weight: Tensor | None = None) -> Tensor:
        """The convolution with a bias.

        Args:
            x: (B,in,H,W), NHWC.
            bias: (out,) float32, contiguous.
            weight: The weight of this call, in place of the constructor's.
        """
        chosen = self.weight if weight is None else weight
        return self._run(x, chosen, bias, *self._geometry, "none", [], "")

    def activated(self, x: Tensor, bias: Tensor | None, *, weight: Tensor | None = None) -> Tensor:
        """As a call, with a leaky ReLU after the bias."""
        chosen = self.weight if weight is None else weight
        return self._run(x, chosen, bias, *self._geometry, "leaky_relu", self._leak, "")


class PointwiseConv:
    """A 1x1 convolution as the matrix product that it is in NHWC: faster to call and to compute.

    Args:
        weight: (out,in) float32 or bfloat16.
        slope: Slope of the leaky ReLU in `activated` below zero.
    """

    def __init__(self, weight: Tensor, slope: float = 0.2) -> None:
        self._weight, self._leak = _ops._reorder_linear_weight(weight, _PIXELS), [slope]
        self._run = _ops._linear_pointwise.default

    def __call__(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """(B,in,H,W) to (B,out,H,W), both NHWC."""
        return self._run(x.permute(0, 2, 3, 1), self._weight, bias, "none", [], "").permute(0, 3, 1, 2)

    def activated(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """As a call, with a leaky ReLU after the bias."""
        out = self._run(x.permute(0, 2, 3, 1), self._weight, bias, "leaky_relu", self._leak, "")
        return out.permute(0, 3, 1, 2)


@cache
def supports(dtype: torch.dtype) -> bool:
    """Whether these classes work in `dtype` in this build of PyTorch on this processor; tried once, on 8x8 pixels."""
    if dtype not in DTYPES:
        return False
    try:
        return _conv_is_right(dtype) and _up_conv_is_right(dtype) and _pointwise_is_right(dtype)
    except (AttributeError, RuntimeError, TypeError):
        return False


def _conv_is_right(dtype: torch.dtype) -> bool:
    x, weight, bias = _example(dtype)
    wanted = F.leaky_relu(F.conv2d(x.float(), weight.float(), bias, padding=1), 0.2)
    conv = Conv(weight, 8, padding=1)
    return _is_close(conv.activated(x, bias), wanted) and _is_close(
        conv.activated(x, bias, weight=weight), wanted
    )


def _up_conv_is_right(dtype: torch.dtype) -> bool:
    x, weight, _ = _example(dtype)
    wanted = F.conv_transpose2d(x.float(), weight.float(), stride=2)
    conv = Conv(weight, 8, stride=2, up=True)
    return _is_close(conv(x), wanted) and _is_close(conv(x, weight=weight), wanted)


def _pointwise_is_right(dtype: torch.dtype) -> bool:
    x, weight, bias = _example(dtype)
    one = weight[:, :, 0, 0].contiguous()
    wanted = F.leaky_relu(F.conv2d(x.float(), one.float()[:, :, None, None], bias), 0.2)
    return _is_close(PointwiseConv(one).activated(x, bias.to(dtype)), wanted)


def _example(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """(1,16,8,8) input, (16,16,3,3) weight, (16,) bias: computed, so that no random state changes."""
    values = torch.linspace(-1, 2, 16 * 16 * 9)
    x = values[: 16 * 64].view(1, 16, 8, 8).to(dtype, memory_format=NHWC)
    return x, values.cos().view(16, 16, 3, 3).to(dtype), values[::144].contiguous()


def _is_close(got: Tensor, wanted: Tensor) -> bool:
    return bool((got.float() - wanted).norm() <= _CLOSE[got.dtype] * wanted.norm())
