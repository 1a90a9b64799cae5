"""The folded generator for one face on a CPU: the function of `folded.py` in oneDNN's fused convolutions.

- Bias and leaky ReLU run inside the convolution before them, those of an up-convolution inside its blur.
- A modulated convolution's scales go into its weight where that is the smaller tensor. Elsewhere the weight is
  shared and laid out once, its input is scaled, and the output's scale d > 0 waits for whoever reads the output:
  leaky_relu(d * y + b) = d * leaky_relu(y + b / d).

Styles are not divided by their largest, for bfloat16 has float32's range; float16 is not for a CPU. One face:
(1,C,H,W) in memory format channels_last (NHWC) throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.folded_layers import EPSILON, NHWC
from gpen_fast.gpen.layers import GAIN, LEAK, Blur
from gpen_fast.gpen.network import FullGenerator, StyledConv, ToRGB
from gpen_fast.gpen.onednn import Conv

# A weight's element costs about this many of an activation's to scale: it is float32, and laid out again.
_WEIGHT_COST = 2
# Below this many bfloat16 values two elementwise passes take less time than one convolution's call.
_FEW = 1 << 17


class OneFaceGenerator:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, nominally in [-1,1], not clamped, one face at a time.

    dtype: of convolutions and activations, float32 or bfloat16; `onednn.available` must hold for it.
    """

    def __init__(self, network: FullGenerator, dtype: torch.dtype) -> None:
        self.figures, self.dtype = network.figures, dtype
        sides = network.figures.sides
        decoder: Any = network.generator
        from_side = [sides[-1], *sides[:0:-1]]
        self._encoders = [
            Encoder(network.get_submodule(f"ecd{i}.0"), side, dtype) for i, side in enumerate(from_side)
        ]
        self._latent = _dense(network.final_linear[0])
        self._mapping = [_dense(layer) for layer in list(decoder.style)[1:]]
        self._input = decoder.input.input.detach().to(dtype, memory_format=NHWC)
        layers: list[Any] = [(decoder.conv1, 4, decoder.to_rgb1)]
        for i, (to_rgb, side) in enumerate(zip(decoder.to_rgbs, sides[1:], strict=True)):
            layers += [(decoder.convs[2 * i], side // 2, None), (decoder.convs[2 * i + 1], side, to_rgb)]
        self._convs = [Styled(conv, side, dtype) for conv, side, _ in layers]
        self._rgbs = [Rgb(to_rgb, dtype) if to_rgb is not None else None for _, _, to_rgb in layers]
        affine = [each.conv.modulation for conv, _, rgb in layers for each in (conv, rgb) if each is not None]
        self._styles = Linear(
            torch.cat([(a.weight * a.scale).detach() for a in affine]),
            torch.cat([(a.bias * a.lr_mul).detach() for a in affine]),
        )
        self._style_widths = [len(a.bias) for a in affine]

    def __call__(self, faces: Tensor) -> Tensor:
        return torch.cat([self._restored(face) for face in faces.to(self.dtype, memory_format=NHWC).split(1)])

    def _restored(self, face: Tensor) -> Tensor:
        features, latent = self._encoded(face)
        styles = iter(self._styles(latent).flatten().split(self._style_widths))
        x, rgb = Scaled((self._input,), None), None
        for number, (conv, to_rgb) in enumerate(zip(self._convs, self._rgbs, strict=True)):
            x = conv(x, next(styles), features[-1 - (number + 1) // 2])
            # Only RGB reads the last, and does not need it in one part.
            x = x if conv is self._convs[-1] else x.joined()
            rgb = to_rgb(x, next(styles), rgb) if to_rgb else rgb
        assert rgb is not None
        return rgb

    def _encoded(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """The features from full size down to 4 pixels, and the (1,D,1,1) latent."""
        features = []
        for encoder in self._encoders:
            x = encoder(x)
            features.append(x)
        latent = self._latent(x.float().reshape(1, -1, 1, 1))
        latent = latent * torch.rsqrt(latent.square().mean() + EPSILON)
        for layer in self._mapping:
            latent = layer(latent)
        return features, latent


class Linear:
    """A linear layer, (1,in,1,1) to (1,out,1,1) float32. torch reads a weight for one row far slower than oneDNN."""

    def __init__(self, weight: Tensor, bias: Tensor, *, activate: bool = False) -> None:
        conv = Conv(weight[:, :, None, None], 1)
        self._run, self._bias = conv.activated if activate else conv, bias

    def __call__(self, x: Tensor) -> Tensor:
        return self._run(x, self._bias)


@dataclass(frozen=True, eq=False)
class Scaled:
    """(1,C,H,W) values, in one or more parts along C, and the (C,) float32 factors that they lack, None for none."""

    parts: tuple[Tensor, ...]
    lacks: Tensor | None

    def joined(self) -> Scaled:
        """The same in one part."""
        return Scaled((torch.cat(self.parts, dim=1),), self.lacks)

    def style(self, style: Tensor) -> Tensor:
        """What remains to multiply the values by."""
        return style if self.lacks is None else style * self.lacks


class Encoder:
    """One size of the encoder: blur and convolution of stride 2, at full size a 1x1 convolution."""

    def __init__(self, layers: Any, side: int, dtype: torch.dtype) -> None:
        blur, conv, activation = layers if len(layers) == 3 else (None, *layers)
        weight = (conv.weight * (conv.scale * GAIN)).to(dtype)
        self._bias = activation.bias.detach() * GAIN
        self._blur = blur and _fir(blur, weight.shape[1], side, dtype, padding=2)
        self._conv = Conv(weight, side + 1, stride=2) if blur else Conv(weight, side)

    def __call__(self, x: Tensor) -> Tensor:
        return self._conv.activated(self._blur(x) if self._blur else x, self._bias)


class Styled:
    """A styled convolution and the encoder's feature beside its result: (1,in,H,W) to (1,2*out,H or 2H,...)."""

    def __init__(self, layer: StyledConv, side: int, dtype: torch.dtype) -> None:
        conv, self._dtype = layer.conv, dtype
        weight = (conv.weight[0] * (conv.scale * GAIN)).detach()
        out, into = weight.shape[:2]
        self._squares = (weight / GAIN).square().sum((2, 3))
        self._ones = torch.ones(out)
        self._bias, skip_bias = (layer.activate.bias.detach() * GAIN).chunk(2)
        self._up = conv.blur is not None
        self._fir = _fir(conv.blur, out, 2 * side + 1, dtype, padding=1) if conv.blur is not None else None
        share = (layer.noise.weight * GAIN).detach()
        self._skip = Skip(share, skip_bias, 2 * side if self._up else side, dtype)
        if self._up:
            weight = weight.transpose(0, 1)
        shared = weight.to(dtype) if into * side**2 < _WEIGHT_COST * weight.numel() else None
        self._weight = weight.contiguous(memory_format=NHWC) if shared is None else None
        self._conv = Conv(shared, side, stride=2, up=True) if self._up else Conv(shared, side, padding=1)

    def __call__(self, x: Scaled, style: Tensor, feature: Tensor) -> Scaled:
        demodulation = torch.mv(self._squares, style.square()).add_(EPSILON).rsqrt_()
        if self._weight is None:
            values = x.parts[0] * x.style(style).to(self._dtype)[:, None, None]
            own = self._activated(values, self._bias / demodulation, None)
            lacks = torch.cat([demodulation, self._ones])
        else:
            weight = self._scaled(self._weight, x.style(style), demodulation)
            own, lacks = self._activated(x.parts[0], self._bias, weight), None
        return Scaled((own, self._skip(feature)), lacks)

    def _scaled(self, weight: Tensor, style: Tensor, demodulation: Tensor) -> Tensor:
        scale = style[:, None] * demodulation if self._up else demodulation[:, None] * style
        return (weight * scale[:, :, None, None]).to(self._dtype)

    def _activated(self, x: Tensor, bias: Tensor, weight: Tensor | None) -> Tensor:
        if self._fir is None:
            return self._conv.activated(x, bias, weight=weight)
        return self._fir.activated(self._conv(x, weight=weight), bias)


class Skip:
    """The encoder's feature as it stands beside a styled convolution's result: scaled, biased, activated."""

    def __init__(self, share: Tensor, bias: Tensor, side: int, dtype: torch.dtype) -> None:
        self._share, self._bias = share.to(dtype), bias
        self._biases = bias.to(dtype).view(1, -1, 1, 1)
        # One pass as a depthwise convolution; in float32 two elementwise passes take less than that.
        weight = self._share.view(1, 1, 1, 1).expand(len(bias), -1, -1, -1)
        fused = dtype == torch.bfloat16 and len(bias) * side**2 >= _FEW
        self._conv = Conv(weight, side, groups=len(bias)) if fused else None

    def __call__(self, feature: Tensor) -> Tensor:
        if self._conv is not None:
            return self._conv.activated(feature, self._bias)
        return F.leaky_relu_(torch.addcmul(self._biases, feature, self._share), LEAK)


class Rgb:
    """This size's (1,3,H,W) contribution, float32, added to the upsampled sum of the smaller ones."""

    def __init__(self, layer: ToRGB, dtype: torch.dtype) -> None:
        self._weight = (layer.conv.weight[0, :, :, 0, 0] * layer.conv.scale).detach()
        self._bias, self._dtype, self._conv = layer.bias.detach().flatten(), dtype, Conv()
        self._fir = layer.upsample.kernel.expand(3, 1, -1, -1) if layer.upsample else None

    def __call__(self, x: Scaled, style: Tensor, rgb: Tensor | None) -> Tensor:
        weight = (self._weight * x.style(style)).to(self._dtype)[:, :, None, None]
        first, *others = zip(x.parts, weight.split([part.shape[1] for part in x.parts], dim=1), strict=True)
        here = self._conv(first[0], self._bias, weight=first[1]).float()
        for part, share in others:
            here = here.add_(self._conv(part, weight=share))
        if rgb is None or self._fir is None:
            return here
        return here.add_(F.conv_transpose2d(rgb, self._fir, stride=2, padding=1, groups=3))


def _dense(layer: Any) -> Linear:
    """Every linear layer of the latent's way is activated."""
    weight, bias = layer.weight * (layer.scale * GAIN), layer.bias * (layer.lr_mul * GAIN)
    return Linear(weight.detach(), bias.detach(), activate=True)


def _fir(blur: Blur, channels: int, side: int, dtype: torch.dtype, *, padding: int) -> Conv:
    weight = blur.kernel.to(dtype).expand(channels, 1, -1, -1)
    return Conv(weight, side, padding=padding, groups=channels)
