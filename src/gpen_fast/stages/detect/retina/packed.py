"""A detector's convolutions as oneDNN's, each with the leaky ReLU after it in the same pass.

PyTorch's own call repacks the weights each time, and reads and writes every feature map once more for the activation.
"""

from __future__ import annotations

from torch import Tensor, nn

from gpen_fast.device.onednn import Conv, PointwiseConv

# Pixels. The weights are packed for an input of this side; for another, oneDNN accepts the same layout or repacks them.
_SIDE = 64


class Fused(nn.Module):
    """A convolution and the leaky ReLU after it as one oneDNN call, from NHWC to NHWC, float32.

    Args:
        conv: The convolution; its weights are copied.
        slope: The leaky ReLU's; None: there is none.
    """

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
    """A 1x1 convolution as a matrix product over pixels; None for any other."""
    if conv.kernel_size != (1, 1) or conv.stride != (1, 1) or conv.padding != (0, 0) or conv.groups != 1:
        return None
    return PointwiseConv(conv.weight.detach()[:, :, 0, 0], slope)


def _convolution(conv: nn.Conv2d, slope: float) -> Conv:
    """Any square convolution; a detector has no other."""
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


def pack_convolutions(module: nn.Module) -> nn.Module:
    """Replaces every convolution by a `Fused` one, which takes over the leaky ReLU that follows it in a sequence.

    Returns:
        The new module for a convolution or a sequence; else the module itself, its parts replaced in place.
    """
    if isinstance(module, nn.Conv2d):
        return Fused(module)
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*_fused(_flat(module)))
    for name, part in module.named_children():
        module.add_module(name, pack_convolutions(part))
    return module


def _fused(layers: list[nn.Module]) -> list[nn.Module]:
    """A sequence's layers with each convolution and its leaky ReLU as one."""
    made: list[nn.Module] = []
    taken = False
    for layer, after in zip(layers, [*layers[1:], None], strict=True):
        if taken:
            taken = False
        elif isinstance(layer, nn.Conv2d) and isinstance(after, nn.LeakyReLU):
            made.append(Fused(layer, after.negative_slope))
            taken = True
        else:
            made.append(pack_convolutions(layer))
    return made


def _flat(sequence: nn.Sequential) -> list[nn.Module]:
    """The layers of a sequence and of those nested in it, without identities: a leaky ReLU may follow in another."""
    nested = (_flat(part) if isinstance(part, nn.Sequential) else [part] for part in sequence)
    return [layer for part in nested for layer in part if not isinstance(layer, nn.Identity)]
