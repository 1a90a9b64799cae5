"""The folded generator for one face on a CPU: the function of `folded` in oneDNN's fused convolutions.

- Bias and leaky ReLU run inside the convolution before them; those of an up-convolution run inside its blur.
- A modulated convolution's scales go into its weight where that is the smaller tensor. Elsewhere the weight is
  shared and repacked for oneDNN once, its input is scaled, and the scale of its output is deferred to the layers
  that read it (`modulation.py`).

Styles are not divided by their largest value: bfloat16 has float32's range, and float16 does not run on a CPU.
Tensors are (1,C,H,W) in memory format channels_last (NHWC) throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device.onednn import Conv
from gpen_fast.gpen.cpu.modulation import CpuLinear, CpuModulation, LayerModulation, StyledLayer
from gpen_fast.gpen.cpu.split_sum import SplitSumConv
from gpen_fast.gpen.cpu.to_rgb import CpuToRGB
from gpen_fast.gpen.folded.layers import EPSILON, NHWC, encoder_dtype, is_near_latent
from gpen_fast.gpen.layers import GAIN, LEAK, Blur, EqualLinear
from gpen_fast.gpen.reference import EncoderParts, FullGenerator, StyledConv, ToRGB

# Scaling one weight element costs about as much as scaling this many activations: the weight is float32 and must be
# repacked.
_WEIGHT_COST = 2
# Below this many bfloat16 values, two elementwise passes are faster than one convolution call.
_FEW = 1 << 17
# Most partial sums of the encoder's convolutions near the latent, in a float32 network (`split_sum.py`).
_PARTS = 4
# Bytes above which an up-convolution's weight is split: oneDNN reads it from the cache again and again.
_HEAVY = 5 << 20


@dataclass(frozen=True, eq=False)
class _Layer:
    """One styled convolution of the reference network, with what it stands beside."""

    conv: StyledConv
    side: int
    """Side of the convolution's input, pixels."""
    to_rgb: ToRGB | None
    """The ToRGB that reads the result, if one does."""


class CpuGenerator:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, nominally in [-1,1], not clamped, one face at a time.

    Args:
        network: The reference network; it is not changed.
        dtype: Of convolutions and activations, float32 or bfloat16, for which `onednn.supports` holds.
    """

    def __init__(self, network: FullGenerator, dtype: torch.dtype) -> None:
        self.config, self.dtype = network.config, dtype
        decoder = network.generator
        self._encoder = [CpuEncoderLayer(parts, dtype) for parts in network.encoder_parts]
        self._latent = _linear(network.latent_layer, dtype)
        self._mapping = [_linear(layer, dtype) for layer in decoder.mapping_layers]
        self._input = decoder.input.input.detach().to(dtype, memory_format=NHWC)
        layers = _layers(network)
        self._convs = [CpuStyledConv(layer.conv, layer.side, dtype) for layer in layers]
        # The last layer's output and its skip half are never concatenated: ToRGB reads the two parts separately.
        parts = [1] * (len(layers) - 1) + [2]
        self._rgbs = [
            layer.to_rgb and CpuToRGB(layer.to_rgb, layer.side, dtype, number)
            for layer, number in zip(layers, parts, strict=True)
        ]
        self._modulation = CpuModulation(
            [
                StyledLayer(layer.conv.conv.modulation, conv.squares, conv.bias, conv.defers_scale)
                for layer, conv in zip(layers, self._convs, strict=True)
            ],
            [(k, layer.to_rgb) for k, layer in enumerate(layers) if layer.to_rgb is not None],
            dtype,
        )

    def __call__(self, faces: Tensor) -> Tensor:
        """Restores faces one after the other.

        Args:
            faces: (B,3,S,S) float32 RGB in [-1,1].
        """
        # Allocated outside inference mode: callers may modify it or backpropagate through it.
        restored = torch.empty(faces.shape, memory_format=NHWC)
        with torch.inference_mode():
            # The faces stay in NCHW: the first convolution converts to NHWC faster than torch does.
            for face, out in zip(faces.to(self.dtype).split(1), restored.split(1), strict=True):
                self._restore(face, out)
        return restored

    def _restore(self, face: Tensor, out: Tensor) -> None:
        """Restores a (1,3,S,S) face of the network's dtype into `out`, (1,3,S,S) float32."""
        features, latent = self._encode(face)
        modulations, rgb_weights = self._modulation(latent)
        x, rgb = self._input, None
        for k, (conv, to_rgb, modulation) in enumerate(
            zip(self._convs, self._rgbs, modulations, strict=True)
        ):
            # (1,in,H,W) -> parts of (1,2*out,H',W') along the channels: the convolution's half and the skip half.
            parts = conv(x, modulation, features[-1 - (k + 1) // 2])
            last = conv is self._convs[-1]
            if not last:
                x = torch.cat(parts, dim=1)
                parts = [x]
            # (1,2*out,H,W) -> (1,3,H,W) float32, added to the RGB of half the size.
            rgb = to_rgb(parts, next(rgb_weights), rgb, out if last else None) if to_rgb else rgb

    def _encode(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """(1,3,S,S) to the features from full size down to 4 pixels, and the mapped latent, (D,) float32."""
        features = []
        for layer in self._encoder:
            # (1,in,H,W) -> (1,out,H/2,W/2); near the latent x stays in float32, and the decoder gets a rounded copy.
            x = layer(x)
            features.append(x.to(self.dtype))
        # (1,C,4,4) -> (16*C,) -> (D,), float32 from here on.
        latent = self._latent(x.float().reshape(-1))
        # Pixel norm: z / sqrt(mean(z^2) + e).
        latent = latent * torch.rsqrt(torch.dot(latent, latent) / len(latent) + EPSILON)
        for linear in self._mapping:
            latent = linear(latent)
        return features, latent


class CpuEncoderLayer:
    """One size of the encoder: (1,in,H,W) to (1,out,H/2,W/2), at full size (1,3,S,S) to (1,out,S,S).

    Args:
        parts: Of the reference network.
        dtype: Of the network; near the latent the layer may compute in float32.
    """

    def __init__(self, parts: EncoderParts, dtype: torch.dtype) -> None:
        blur, conv = parts.blur, parts.conv
        # Side of the input: the blur comes before a convolution of stride 2.
        side = 2 * parts.side if blur else parts.side
        self._dtype = encoder_dtype(parts.side, dtype) if blur else dtype
        weight = (conv.weight * (conv.scale * GAIN)).detach().to(self._dtype)
        self._bias = parts.activation.bias.detach() * GAIN
        self._blur = blur and _fir(blur, weight.shape[1], side, self._dtype, padding=2)
        self._conv: Conv | SplitSumConv
        if blur and is_near_latent(parts.side) and dtype == torch.float32:
            self._conv = SplitSumConv(weight, side + 1, _PARTS, stride=2)
        else:
            self._conv = Conv(weight, side + 1, stride=2) if blur else Conv(weight, side)

    def __call__(self, x: Tensor) -> Tensor:
        """The feature, in the layer's own dtype."""
        x = x.to(self._dtype)
        # (1,in,H,W) -> (1,in,H+1,W+1) by the blur -> (1,out,H/2,W/2) with bias and leaky ReLU.
        return self._conv.activated(self._blur(x) if self._blur else x, self._bias)


class CpuStyledConv:
    """A styled convolution and the encoder's feature beside its result: (1,in,H,W) to (1,2*out,H',W'), in parts.

    Args:
        layer: Of the reference network.
        side: Side of the input, pixels. H' = H, or 2H where the layer doubles the size.
        dtype: Of convolutions and activations.

    Attributes:
        squares: (out,in) float32 sums over the kernel of squared weights, for demodulation.
        bias: (out,) float32, of the convolution's half.
        defers_scale: The output lacks its demodulation, which goes into the layers that read it.
    """

    def __init__(self, layer: StyledConv, side: int, dtype: torch.dtype) -> None:
        conv, self._dtype = layer.conv, dtype
        weight = (conv.weight[0] * (conv.scale * GAIN)).detach()
        out, into = weight.shape[:2]
        self.squares = (weight / GAIN).square().sum((2, 3))
        self.bias, skip_bias = (layer.activate.bias.detach() * GAIN).chunk(2)
        self._up = conv.blur is not None
        skip_scale = (layer.noise.weight * GAIN).detach()
        self._skip = CpuSkipHalf(skip_scale, skip_bias, 2 * side if self._up else side, dtype)
        if self._up:
            weight = weight.transpose(0, 1)
        self.defers_scale = into * side**2 < _WEIGHT_COST * weight.numel()
        shared = weight.to(dtype) if self.defers_scale else None
        self._weight = weight.contiguous(memory_format=NHWC) if shared is None else None
        self._convs = [Conv(shared, side, padding=1)]
        if self._up:
            parts = (None,) if shared is None else split_output_channels(shared, _HEAVY)
            self._convs = [Conv(part, side, stride=2, up=True) for part in parts]
        # Each part of an up-convolution is blurred separately.
        channels, blur = out // len(self._convs), conv.blur
        self._fir = None if blur is None else _fir(blur, channels, 2 * side + 1, dtype, padding=1)

    def __call__(self, x: Tensor, modulation: LayerModulation, feature: Tensor) -> list[Tensor]:
        """The layer's output.

        Args:
            x: (1,in,H,W).
            modulation: Of this layer and face.
            feature: (1,out,H',W'), the encoder's.

        Returns:
            Parts of (1,2*out,H',W') along the channels; the last is the skip half.
        """
        if self._weight is None:
            # The input is scaled; the output's scale is deferred.
            own = self._activated(x * modulation.input_scale, modulation.bias, None)
        else:
            own = self._activated(x, modulation.bias, self._scaled(self._weight, modulation))
        return [*own, self._skip(feature)]

    def _scaled(self, weight: Tensor, modulation: LayerModulation) -> Tensor:
        """The weight of this face: d[o] * s[i] * w[o,i], rounded to the network's dtype."""
        rows, columns = modulation.demodulation, modulation.style
        if self._up:
            rows, columns = columns, rows
        return (weight * torch.outer(rows, columns)[:, :, None, None]).to(self._dtype)

    def _activated(self, x: Tensor, bias: Tensor, weight: Tensor | None) -> list[Tensor]:
        if self._fir is None:
            # (1,in,H,W) -> (1,out,H,W), with bias and leaky ReLU.
            return [self._convs[0].activated(x, bias, weight=weight)]
        biases = bias.chunk(len(self._convs))
        # (1,in,H,W) -> (1,out,2H+1,2W+1) by the convolution -> (1,out,2H,2W) by the FIR, with bias and leaky ReLU.
        return [
            self._fir.activated(conv(x, weight=weight), part)
            for conv, part in zip(self._convs, biases, strict=True)
        ]


class CpuSkipHalf:
    """The encoder's feature as it stands beside a styled convolution's result: leaky_relu(scale * feature + bias).

    Args:
        skip_scale: (1,) float32, the learnt factor with the activation's gain in it.
        bias: (C,) float32.
        side: Side of the feature, pixels.
        dtype: Of activations.
    """

    def __init__(self, skip_scale: Tensor, bias: Tensor, side: int, dtype: torch.dtype) -> None:
        self._skip_scale, self._bias = skip_scale.to(dtype), bias
        self._bias_in_dtype = bias.to(dtype).view(1, -1, 1, 1)
        # In bfloat16 one pass as a depthwise 1x1 convolution; in float32 two elementwise passes are faster.
        weight = self._skip_scale.view(1, 1, 1, 1).expand(len(bias), -1, -1, -1)
        convolved = dtype == torch.bfloat16 and len(bias) * side**2 >= _FEW
        self._conv = Conv(weight, side, groups=len(bias)) if convolved else None

    def __call__(self, feature: Tensor) -> Tensor:
        """(1,C,H,W) to (1,C,H,W)."""
        if self._conv is not None:
            return self._conv.activated(feature, self._bias)
        return F.leaky_relu_(torch.addcmul(self._bias_in_dtype, feature, self._skip_scale), LEAK)


def _layers(network: FullGenerator) -> list[_Layer]:
    """The styled convolutions in order: one at 4 pixels, then two for each size, of which the first doubles it."""
    decoder, sides = network.generator, network.config.sides
    convs = iter(decoder.styled_convs)
    layers = [_Layer(next(convs), sides[0], decoder.to_rgb1)]
    for side, to_rgb in zip(sides[1:], decoder.rgb_layers[1:], strict=True):
        layers += [_Layer(next(convs), side // 2, None), _Layer(next(convs), side, to_rgb)]
    return layers


def _linear(layer: EqualLinear, dtype: torch.dtype) -> CpuLinear:
    """A layer between the encoder and the styles; each of them is activated."""
    weight, bias = layer.weight * (layer.scale * GAIN), layer.bias * (layer.lr_mul * GAIN)
    return CpuLinear(weight.detach(), bias.detach(), dtype, activate=True)


def _fir(blur: Blur, channels: int, side: int, dtype: torch.dtype, *, padding: int) -> Conv:
    """The blur as a depthwise convolution."""
    weight = blur.kernel.to(dtype).expand(channels, 1, -1, -1)
    return Conv(weight, side, padding=padding, groups=channels)


def split_output_channels(weight: Tensor, most: int) -> tuple[Tensor, ...]:
    """Splits a transposed convolution's weight along its output channels.

    Args:
        weight: (in,out,k,k).
        most: Bytes of a part.

    Returns:
        Equal parts, a power of two of them, of at most `most` bytes, or of an odd number of channels.
    """
    parts, size = 1, weight.numel() * weight.element_size()
    while size > parts * most and weight.shape[1] % (2 * parts) == 0:
        parts *= 2
    return weight.chunk(parts, dim=1)
