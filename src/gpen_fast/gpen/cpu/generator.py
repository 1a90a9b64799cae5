"""The folded generator for one face on a CPU: the function of `folded.py` in oneDNN's fused convolutions.

- Bias and leaky ReLU run inside the convolution before them, those of an up-convolution inside its blur.
- A modulated convolution's scales go into its weight where that is the smaller tensor. Elsewhere the weight is
  shared and laid out once, its input is scaled, and the output's scale waits for whoever reads the output
  (`modulation.py`).

Styles are not divided by their largest, for bfloat16 has float32's range; float16 is not for a CPU. One face:
(1,C,H,W) in memory format channels_last (NHWC) throughout.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device.onednn import Conv
from gpen_fast.gpen.cpu.modulation import Linear, Modulated, Modulation
from gpen_fast.gpen.cpu.split_sum import SplitSumConv
from gpen_fast.gpen.cpu.to_rgb import CpuToRGB
from gpen_fast.gpen.folded.layers import EPSILON, NHWC, encoder_dtype, is_decisive
from gpen_fast.gpen.layers import GAIN, LEAK, Blur
from gpen_fast.gpen.reference import FullGenerator, StyledConv

# A weight's element costs about this many of an activation's to scale: it is float32, and laid out again.
_WEIGHT_COST = 2
# Below this many bfloat16 values two elementwise passes take less time than one convolution's call.
_FEW = 1 << 17
# Of a sum in the encoder's smallest convolutions in a float32 network.
_PARTS = 4
# An up-convolution with more bytes of weight than this runs in parts: oneDNN reads them from the cache again and again.
_HEAVY = 5 << 20


class CpuGenerator:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, nominally in [-1,1], not clamped, one face at a time.

    dtype: of convolutions and activations, float32 or bfloat16; `onednn.available` must hold for it.
    """

    def __init__(self, network: FullGenerator, dtype: torch.dtype) -> None:
        self.config, self.dtype = network.config, dtype
        sides = network.config.sides
        decoder: Any = network.generator
        from_side = [sides[-1], *sides[:0:-1]]
        self._encoders = [
            Encoder(network.get_submodule(f"ecd{i}.0"), side, dtype) for i, side in enumerate(from_side)
        ]
        self._latent = _dense(network.final_linear[0], dtype)
        self._mapping = [_dense(layer, dtype) for layer in list(decoder.style)[1:]]
        self._input = decoder.input.input.detach().to(dtype, memory_format=NHWC)
        layers: list[Any] = [(decoder.conv1, 4, decoder.to_rgb1)]
        for i, (to_rgb, side) in enumerate(zip(decoder.to_rgbs, sides[1:], strict=True)):
            layers += [(decoder.convs[2 * i], side // 2, None), (decoder.convs[2 * i + 1], side, to_rgb)]
        self._convs = [Styled(conv, side, dtype) for conv, side, _ in layers]
        # Of the last convolution and the skip half beside it RGB is made apart.
        parts = [1] * (len(layers) - 1) + [2]
        self._rgbs = [
            to_rgb and CpuToRGB(to_rgb, side, dtype, number)
            for (_, side, to_rgb), number in zip(layers, parts, strict=True)
        ]
        self._modulation = Modulation(
            [conv.conv.modulation for conv, _, _ in layers],
            [each.squares for each in self._convs],
            [each.bias for each in self._convs],
            [each.waits for each in self._convs],
            [(number, to_rgb) for number, (_, _, to_rgb) in enumerate(layers) if to_rgb is not None],
            dtype,
        )

    def __call__(self, faces: Tensor) -> Tensor:
        # Made before inference mode, for whom it is given to may change it or differentiate with it.
        restored = torch.empty(faces.shape, memory_format=NHWC)
        with torch.inference_mode():
            # The first convolution lays a face out faster than torch does.
            for face, out in zip(faces.to(self.dtype).split(1), restored.split(1), strict=True):
                self._restore(face, out)
        return restored

    def _restore(self, face: Tensor, out: Tensor) -> None:
        features, latent = self._encoded(face)
        modulated, rgb_weights = self._modulation(latent)
        x, rgb = self._input, None
        for number, (conv, to_rgb, how) in enumerate(zip(self._convs, self._rgbs, modulated, strict=True)):
            parts = conv(x, how, features[-1 - (number + 1) // 2])
            last = conv is self._convs[-1]
            # Only RGB reads the last, and does not need it in one part.
            if not last:
                x = torch.cat(parts, dim=1)
                parts = [x]
            rgb = to_rgb(parts, next(rgb_weights), rgb, out if last else None) if to_rgb else rgb

    def _encoded(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """The features from full size down to 4 pixels, and the (D,) latent."""
        features = []
        for encoder in self._encoders:
            x = encoder(x)
            features.append(x.to(self.dtype))
        latent = self._latent(x.float().reshape(-1))
        latent = latent * torch.rsqrt(torch.dot(latent, latent) / len(latent) + EPSILON)
        for layer in self._mapping:
            latent = layer(latent)
        return features, latent


class Encoder:
    """One size of the encoder: blur and convolution of stride 2, at full size a 1x1 convolution.

    side: pixels of the input's side. dtype: of the network.
    """

    def __init__(self, layers: Any, side: int, dtype: torch.dtype) -> None:
        blur, conv, activation = layers if len(layers) == 3 else (None, *layers)
        self._dtype = encoder_dtype(side // 2, dtype) if blur else dtype
        weight = (conv.weight * (conv.scale * GAIN)).detach().to(self._dtype)
        self._bias = activation.bias.detach() * GAIN
        self._blur = blur and _fir(blur, weight.shape[1], side, self._dtype, padding=2)
        self._conv: Conv | SplitSumConv
        if blur and is_decisive(side // 2) and dtype == torch.float32:
            self._conv = SplitSumConv(weight, side + 1, _PARTS, stride=2)
        else:
            self._conv = Conv(weight, side + 1, stride=2) if blur else Conv(weight, side)

    def __call__(self, x: Tensor) -> Tensor:
        x = x.to(self._dtype)
        return self._conv.activated(self._blur(x) if self._blur else x, self._bias)


class Styled:
    """A styled convolution and the encoder's feature beside its result: (1,in,H,W) to (1,2*out,H or 2H,...), in parts.

    squares, bias: as `Modulation` wants them. waits: the output's scale waits for its reader.
    """

    def __init__(self, layer: StyledConv, side: int, dtype: torch.dtype) -> None:
        conv, self._dtype = layer.conv, dtype
        weight = (conv.weight[0] * (conv.scale * GAIN)).detach()
        out, into = weight.shape[:2]
        self.squares = (weight / GAIN).square().sum((2, 3))
        self.bias, skip_bias = (layer.activate.bias.detach() * GAIN).chunk(2)
        self._up = conv.blur is not None
        skip_scale = (layer.noise.weight * GAIN).detach()
        self._skip = Skip(skip_scale, skip_bias, 2 * side if self._up else side, dtype)
        if self._up:
            weight = weight.transpose(0, 1)
        self.waits = into * side**2 < _WEIGHT_COST * weight.numel()
        shared = weight.to(dtype) if self.waits else None
        self._weight = weight.contiguous(memory_format=NHWC) if shared is None else None
        self._convs = [Conv(shared, side, padding=1)]
        if self._up:
            parts = (None,) if shared is None else split_output_channels(shared, _HEAVY)
            self._convs = [Conv(part, side, stride=2, up=True) for part in parts]
        # Every part of the convolution is blurred by itself.
        channels, blur = out // len(self._convs), conv.blur
        self._fir = None if blur is None else _fir(blur, channels, 2 * side + 1, dtype, padding=1)

    def __call__(self, x: Tensor, how: Modulated, feature: Tensor) -> list[Tensor]:
        if self._weight is None:
            own = self._activated(x * how.rounded, how.bias, None)
        else:
            own = self._activated(x, how.bias, self._scaled(self._weight, how))
        return [*own, self._skip(feature)]

    def _scaled(self, weight: Tensor, how: Modulated) -> Tensor:
        rows, columns = (how.style, how.demodulation) if self._up else (how.demodulation, how.style)
        return (weight * torch.outer(rows, columns)[:, :, None, None]).to(self._dtype)

    def _activated(self, x: Tensor, bias: Tensor, weight: Tensor | None) -> list[Tensor]:
        if self._fir is None:
            return [self._convs[0].activated(x, bias, weight=weight)]
        biases = bias.chunk(len(self._convs))
        return [
            self._fir.activated(conv(x, weight=weight), b)
            for conv, b in zip(self._convs, biases, strict=True)
        ]


class Skip:
    """The encoder's feature as it stands beside a styled convolution's result: scaled, biased, activated."""

    def __init__(self, skip_scale: Tensor, bias: Tensor, side: int, dtype: torch.dtype) -> None:
        self._skip_scale, self._bias = skip_scale.to(dtype), bias
        self._biases = bias.to(dtype).view(1, -1, 1, 1)
        # One pass as a depthwise convolution; in float32 two elementwise passes take less than that.
        weight = self._skip_scale.view(1, 1, 1, 1).expand(len(bias), -1, -1, -1)
        fused = dtype == torch.bfloat16 and len(bias) * side**2 >= _FEW
        self._conv = Conv(weight, side, groups=len(bias)) if fused else None

    def __call__(self, feature: Tensor) -> Tensor:
        if self._conv is not None:
            return self._conv.activated(feature, self._bias)
        return F.leaky_relu_(torch.addcmul(self._biases, feature, self._skip_scale), LEAK)


def _dense(layer: Any, dtype: torch.dtype) -> Linear:
    """Every linear layer of the latent's way is activated."""
    weight, bias = layer.weight * (layer.scale * GAIN), layer.bias * (layer.lr_mul * GAIN)
    return Linear(weight.detach(), bias.detach(), dtype, activate=True)


def _fir(blur: Blur, channels: int, side: int, dtype: torch.dtype, *, padding: int) -> Conv:
    weight = blur.kernel.to(dtype).expand(channels, 1, -1, -1)
    return Conv(weight, side, padding=padding, groups=channels)


def split_output_channels(weight: Tensor, most: int) -> tuple[Tensor, ...]:
    """A transposed convolution's weight, (in,out,k,k), in equal parts along its output channels of at most so many
    bytes, or of an odd number of channels."""
    parts, size = 1, weight.numel() * weight.element_size()
    while size > parts * most and weight.shape[1] % (2 * parts) == 0:
        parts *= 2
    return weight.chunk(parts, dim=1)
