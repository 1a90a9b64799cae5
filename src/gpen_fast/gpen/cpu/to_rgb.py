"""RGB of one face on a CPU: a matrix product, or oneDNN's 1x1 convolution where that is faster."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.device.onednn import Conv
from gpen_fast.gpen.reference import ToRGB

# Up to this many bfloat16 values, converting them to float32 and multiplying there is faster than setting up a
# bfloat16 product.
_FEW = 1 << 15
# A product is faster than oneDNN's convolution from this many channels, and in float32 above this many values.
_WIDE, _MANY = 64, 1 << 22


class CpuToRGB:
    """This size's (1,3,H,W) contribution, float32, added to the upsampled RGB of the smaller sizes.

    Args:
        layer: Of the reference network.
        side: H = W, pixels.
        dtype: Of activations.
        parts: The number of equal parts in which the input comes.
    """

    def __init__(self, layer: ToRGB, side: int, dtype: torch.dtype, parts: int = 1) -> None:
        channels, bias = layer.conv.weight.shape[2] // parts, layer.bias.detach().flatten()
        self._dtype, self._bias, self._no_bias, self._conv = dtype, bias, torch.zeros(3), Conv()
        many = dtype == torch.float32 and channels * side**2 > _MANY
        self._by_product = many or channels >= _WIDE
        self._in_float32 = channels * side**2 <= _FEW
        self._upsample: Conv | None = None
        if layer.upsample is not None:
            fir = layer.upsample.kernel.expand(3, 1, -1, -1)
            self._upsample = Conv(fir, side // 2, stride=2, padding=1, groups=3, up=True)

    def __call__(self, parts: list[Tensor], weight: Tensor, rgb: Tensor | None, out: Tensor | None) -> Tensor:
        """The RGB so far.

        Args:
            parts: The input, split along its channels: (1,in/parts,H,W) each.
            weight: (3,in) float32, with the style in it.
            rgb: (1,3,H/2,W/2) float32, the sum of the smaller sizes; None at 4 pixels.
            out: (1,3,H,W) float32, where the result is written, or None.
        """
        first, *others = zip(parts, weight.split([part.shape[1] for part in parts], dim=1), strict=True)
        # (1,C,H,W) -> (1,3,H,W), the bias once.
        own = self._rgb_of(*first, self._bias)
        # (1,3,H/2,W/2) -> (1,3,H,W).
        smaller = self._upsample(rgb) if self._upsample is not None and rgb is not None else None
        total = own.float() if smaller is None else torch.add(smaller, own, out=out)
        for part, part_weight in others:
            total = total.add_(self._rgb_of(part, part_weight, self._no_bias))
        return total

    def _rgb_of(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """(1,C,H,W) by a (3,C) weight and a (3,) bias, both float32, to (1,3,H,W)."""
        if not self._by_product:
            return self._conv(x, bias, weight=weight.to(self._dtype)[:, :, None, None])
        # (1,C,H,W) -> (H*W,C), a view, since memory is NHWC.
        pixels, side = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]), x.shape[2]
        if self._dtype == torch.float32:
            return torch.addmm(bias, pixels, weight.t()).view(1, side, side, 3).permute(0, 3, 1, 2)
        if self._in_float32:
            return torch.addmm(bias[:, None], weight, pixels.float().t()).view(1, 3, side, side)
        # In bfloat16 a product of (3,C) by (C,H*W) takes half the time of its transpose; in float32 it takes twice.
        rounded = bias.to(self._dtype)[:, None]
        return torch.addmm(rounded, weight.to(self._dtype), pixels.t()).view(1, 3, side, side)
