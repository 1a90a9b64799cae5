"""A detector's convolutions in oneDNN's, with the leaky ReLU after each in the same pass.

PyTorch's own call lays out the weights anew each time, and reads and writes every map once more for the activation.
"""

from __future__ import annotations

from torch import Tensor, nn

from gpen_fast.device.onednn import Conv, PointwiseConv

# Of the input that weights are laid out for; others take the same layout or are laid out again by oneDNN.
_SIDE = 64


class Fused(nn.Module):
    """A convolution and a leaky ReLU of `slope` after it, unless that is None; from and to NHWC, float32."""

    def __init__(self, conv: nn.Conv2d, slope: float | None = None) -> None:
        super().__init__()
        made = _pixelwise(conv, slope or 0.0) or _convolution(conv, slope or 0.0)
        self.kernel = made
        self._run = made if slope is None else made.activated
        self._bias = None if conv.bias is None else conv.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        """(B,in,H,W) in NHWC to (B,out,...) in NHWC."""
        return self._run(x, self._bias)


def _pixelwise(conv: nn.Conv2d, slope: float) -> PointwiseConv | None:
    if conv.kernel_size != (1, 1) or conv.stride != (1, 1) or conv.padding != (0, 0) or conv.groups != 1:
        return None
    return PointwiseConv(conv.weight.detach()[:, :, 0, 0], slope)


def _convolution(conv: nn.Conv2d, slope: float) -> Conv:
    """Square ones only, as a detector's are."""
    assert isinstance(conv.padding, tuple)
    return Conv(
        conv.weight.detach(),
        _SIDE,
        padding=conv.padding[0],
        stride=conv.stride[0],
        groups=conv.groups,
        dilation=conv.dilation[0],
        slope=slope,
    )


def packed(module: nn.Module) -> nn.Module:
    """Every convolution `Fused`, with the leaky ReLU that follows it in a sequence; in place where it has parts."""
    if isinstance(module, nn.Conv2d):
        return Fused(module)
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*_joined(_flat(module)))
    for name, part in module.named_children():
        module.add_module(name, packed(part))
    return module


def _joined(layers: list[nn.Module]) -> list[nn.Module]:
    made: list[nn.Module] = []
    taken = False
    for layer, after in zip(layers, [*layers[1:], None], strict=True):
        if taken:
            taken = False
        elif isinstance(layer, nn.Conv2d) and isinstance(after, nn.LeakyReLU):
            made.append(Fused(layer, after.negative_slope))
            taken = True
        else:
            made.append(packed(layer))
    return made


def _flat(sequence: nn.Sequential) -> list[nn.Module]:
    nested = (_flat(part) if isinstance(part, nn.Sequential) else [part] for part in sequence)
    return [layer for part in nested for layer in part if not isinstance(layer, nn.Identity)]
