"""oneDNN's convolutions for a CPU, through PyTorch: activation in the same pass, weights laid out once.

PyTorch's own call lays out the weights anew each time, and reads and writes every map once more for the activation.
torch.ops.mkldnn is what torch.compile calls on a CPU and no public interface: `available` tries it once.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ops: Any = torch.ops.mkldnn
# Of the input that weights are laid out for; others take the same layout or are laid out again by oneDNN.
_SIDE = 64
# Two sums in another order.
_CLOSE = 1e-5


class Conv(nn.Module):
    """Any convolution."""

    def __init__(self, conv: nn.Conv2d, slope: float | None = None) -> None:
        super().__init__()
        kind = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
        shape = [1, conv.in_channels, _SIDE, _SIDE]
        weight = _ops._reorder_convolution_weight(conv.weight.detach(), *kind, shape)
        bias = None if conv.bias is None else conv.bias.detach()
        self._arguments = (weight, bias, *kind, *_activation(slope))

    def forward(self, x: Tensor) -> Tensor:
        """(B,in,H,W) in NHWC to (B,out,...) in NHWC."""
        made: Tensor = _ops._convolution_pointwise(x, *self._arguments)
        return made


class Pixelwise(nn.Module):
    """A 1x1 convolution as the matrix product that it is in NHWC: quicker to set up, and to compute."""

    def __init__(self, conv: nn.Conv2d, slope: float | None = None) -> None:
        super().__init__()
        weight = _ops._reorder_linear_weight(conv.weight.detach()[:, :, 0, 0], _SIDE * _SIDE)
        bias = None if conv.bias is None else conv.bias.detach()
        self._arguments = (weight, bias, *_activation(slope))

    def forward(self, x: Tensor) -> Tensor:
        """(B,in,H,W) in NHWC to (B,out,H,W) in NHWC."""
        made: Tensor = _ops._linear_pointwise(x.permute(0, 2, 3, 1), *self._arguments)
        return made.permute(0, 3, 1, 2)


def fused(conv: nn.Conv2d, slope: float | None = None) -> nn.Module:
    """`conv` and a leaky ReLU of `slope` after it, unless that is None; from and to NHWC, float32."""
    alone = conv.kernel_size == conv.stride == (1, 1) and conv.padding == (0, 0) and conv.groups == 1
    return Pixelwise(conv, slope) if alone else Conv(conv, slope)


def packed(module: nn.Module) -> nn.Module:
    """Every convolution `fused`, with the leaky ReLU that follows it in a sequence; in place where it has parts."""
    if isinstance(module, nn.Conv2d):
        return fused(module)
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*_joined(_flat(module)))
    for name, part in module.named_children():
        module.add_module(name, packed(part))
    return module


@cache
def available() -> bool:
    """Whether this build and processor have it, found out by a small try."""
    x = torch.linspace(-1, 2, 16 * 64).view(1, 16, 8, 8).contiguous(memory_format=torch.channels_last)
    try:
        return all(_right(_sample(side), x) for side in (1, 3))
    except (AttributeError, RuntimeError):
        return False


def _sample(side: int) -> nn.Conv2d:
    conv = nn.utils.skip_init(nn.Conv2d, 16, 16, side, padding=side // 2).requires_grad_(False)
    conv.weight.data = torch.linspace(-0.1, 0.2, conv.weight.numel()).view_as(conv.weight)
    conv.bias.data = torch.linspace(-3, 3, 16)
    return conv


def _right(conv: nn.Conv2d, x: Tensor) -> bool:
    return torch.allclose(fused(conv, 0.1)(x), F.leaky_relu(conv(x), 0.1), rtol=_CLOSE, atol=_CLOSE)


def _activation(slope: float | None) -> tuple[str, list[float], str]:
    return ("none", [], "") if slope is None else ("leaky_relu", [slope], "")


def _joined(layers: list[nn.Module]) -> list[nn.Module]:
    made: list[nn.Module] = []
    taken = False
    for layer, after in zip(layers, [*layers[1:], None], strict=True):
        if taken:
            taken = False
        elif isinstance(layer, nn.Conv2d) and isinstance(after, nn.LeakyReLU):
            made.append(fused(layer, after.negative_slope))
            taken = True
        else:
            made.append(packed(layer))
    return made


def _flat(sequence: nn.Sequential) -> list[nn.Module]:
    nested = (_flat(part) if isinstance(part, nn.Sequential) else [part] for part in sequence)
    return [layer for part in nested for layer in part if not isinstance(layer, nn.Identity)]
