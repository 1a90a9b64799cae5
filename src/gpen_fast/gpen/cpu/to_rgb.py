"""RGB of one face on a CPU: matrix products, but for narrow features, where oneDNN's 1x1 convolution is faster."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.device.onednn import Conv
from gpen_fast.gpen.reference import ToRGB

# Up to so many bfloat16 values a product takes longer to set up than float32's does with its conversion.
_FEW = 1 << 15
# From so many channels a product is faster than oneDNN's convolution, and in float32 above so many values.
_WIDE, _MANY = 64, 1 << 22


class CpuToRGB:
    """This size's (1,3,H,W) contribution, float32, added to the upsampled sum of the smaller ones.

    parts: in how many equal parts its input comes.
    """

    def __init__(self, layer: ToRGB, side: int, dtype: torch.dtype, parts: int = 1) -> None:
        channels, bias = layer.conv.weight.shape[2] // parts, layer.bias.detach().flatten()
        self._dtype, self._bias, self._zero, self._conv = dtype, bias, torch.zeros(3), Conv()
        many = dtype == torch.float32 and channels * side**2 > _MANY
        self._product = many or channels >= _WIDE
        self._exact = channels * side**2 <= _FEW
        self._up: Conv | None = None
        if layer.upsample is not None:
            fir = layer.upsample.kernel.expand(3, 1, -1, -1)
            self._up = Conv(fir, side // 2, stride=2, padding=1, groups=3, up=True)

    def __call__(self, parts: list[Tensor], weight: Tensor, rgb: Tensor | None, out: Tensor | None) -> Tensor:
        """parts: of (1,C,H,W) along C. weight: (3,C) float32. rgb: of half the side. out: what the sum goes into."""
        first, *others = zip(parts, weight.split([part.shape[1] for part in parts], dim=1), strict=True)
        here = self._rgb_of(*first, self._bias)
        smaller = self._up(rgb) if self._up is not None and rgb is not None else None
        here = here.float() if smaller is None else torch.add(smaller, here, out=out)
        for part, share in others:
            here = here.add_(self._rgb_of(part, share, self._zero))
        return here

    def _rgb_of(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """weight: (3,C). bias: (3,)."""
        if not self._product:
            return self._conv(x, bias, weight=weight.to(self._dtype)[:, :, None, None])
        pixels, side = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]), x.shape[2]
        if self._dtype == torch.float32:
            return torch.addmm(bias, pixels, weight.t()).view(1, side, side, 3).permute(0, 3, 1, 2)
        if self._exact:
            return torch.addmm(bias[:, None], weight, pixels.float().t()).view(1, 3, side, side)
        # Three rows of all pixels take half the time of three columns; in float32 it is the other way round.
        rounded = bias.to(self._dtype)[:, None]
        return torch.addmm(rounded, weight.to(self._dtype), pixels.t()).view(1, 3, side, side)
