"""The folded generator for CUDA: convolutions by cuDNN, everything between them in one kernel each.

The function is that of `folded.py`, cut differently: a kernel of `kernels/` takes what a convolution gave through
FIR, demodulation, biases and activations, adds the encoder's half and multiplies the next convolution's input scales
in, so that the wide tensor is written once, ready to be convolved. ToRGB reads the same registers, in float32 before
those scales. Encoder features are kept as their convolutions gave them; who reads them adds bias and activation.

The small work between latent and scales is done for all layers in one go, in float32: on a GPU it costs launches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.folded_layers import EPSILON, NHWC, Dense
from gpen_fast.gpen.kernels.same import Colours
from gpen_fast.gpen.kernels.steps import BY_KERNEL, Steps
from gpen_fast.gpen.kernels.wide import Ending, activated
from gpen_fast.gpen.layers import GAIN, EqualLinear, fir_kernel
from gpen_fast.gpen.network import FullGenerator, StyledConv


class FusedGenerator:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, nominally in [-1,1], not clamped.

    dtype: of convolutions and activations: float32, bfloat16 or float16. steps: what runs between convolutions. The
    network's FIR kernels must be the published ones: see `has_published_fir`.
    """

    def __init__(
        self,
        network: FullGenerator,
        dtype: torch.dtype,
        device: torch.device,
        steps: Steps = BY_KERNEL,
    ) -> None:
        self.figures, self.dtype, self.steps = network.figures, dtype, steps
        fold = _Folder(dtype, device)
        decoder: Any = network.generator
        encoders = [network.get_submodule(f"ecd{i}.0") for i in range(len(self.figures.sides))]
        self._encoders = [fold.encoder(layers) for layers in encoders]
        self._latent = fold.dense(network.final_linear[0])
        self._mapping = [fold.dense(layer) for layer in list(decoder.style)[1:]]
        self._input = fold.exact(decoder.input.input)
        convs = [decoder.conv1, *decoder.convs]
        biases = [encoder.bias for encoder in self._encoders]
        self._convs = [fold.styled(conv, biases[-1 - (k + 1) // 2]) for k, conv in enumerate(convs)]
        rgbs = [decoder.to_rgb1, *decoder.to_rgbs]
        self._rgb_biases = [fold.exact(rgb.bias.flatten()) for rgb in rgbs]
        self._scales = fold.scales(convs, rgbs)

    def __call__(self, faces: Tensor) -> Tensor:
        return self.run(faces, self.steps)

    def run(self, faces: Tensor, steps: Steps) -> Tensor:
        """The network by other steps than its own."""
        features, latent = self._encoded(faces.to(self.dtype, memory_format=NHWC), steps)
        return self._decoded(features, self._scales(latent), steps)

    def _decoded(self, features: list[Tensor], scales: _Values, steps: Steps) -> Tensor:
        """(B,3,S,S) float32. Each result takes its input's name, and features leave their list after their last use, so
        that their memory is free for the next."""
        x: Any = (self._input * scales.inputs[:, 0, : self._input.shape[1], None, None]).to(self.dtype)
        x, rgb = x.contiguous(memory_format=NHWC), None
        for k, conv in enumerate(self._convs):
            feature, width = features[-1], conv.width
            scale, following = scales.outputs[k, :, :width], scales.following(k, 2 * width)
            if conv.is_up:
                x = F.conv_transpose2d(x, conv.weight, stride=2)
                x = steps.end_up(x, feature, scale, conv.ending, following)
            else:
                x = F.conv2d(x, conv.weight, padding=1)
                colours = Colours(scales.colours[:, k // 2, :, : 2 * width], self._rgb_biases[k // 2], rgb)
                x, rgb = steps.end_same(x, feature, scale, conv.ending, following, colours)
                features.pop()
        assert rgb is not None
        return rgb

    def _encoded(self, x: Tensor, steps: Steps) -> tuple[list[Tensor], Tensor]:
        """What the encoder's convolutions gave, from full size down to 4 pixels, and the (B,D) latent."""
        features: list[Tensor] = []
        for k, encoder in enumerate(self._encoders):
            if k:
                x = steps.blur(x, self._encoders[k - 1].bias)
            x = F.conv2d(x, encoder.weight, stride=2 if k else 1)
            features.append(x)
        latent = self._latent(activated(x, self._encoders[-1].bias).flatten(1))
        # One kernel on a GPU.
        latent = F.rms_norm(latent, latent.shape[1:], eps=EPSILON)
        for layer in self._mapping:
            latent = layer(latent)
        return features, latent


def has_published_fir(network: FullGenerator) -> bool:
    """Whether every FIR kernel is [1,3,3,1] x [1,3,3,1] of its place's gain, as the kernels take it to be."""
    return all(
        torch.allclose(kernel.cpu(), fir_kernel(1.0 if name.startswith("ecd") else 4.0), rtol=1e-5)
        for name, kernel in network.named_buffers()
    )


@dataclass(frozen=True, eq=False)
class _Encoder:
    """weight: in the activations' dtype, NHWC. bias: (C,) float32, added by whoever reads the result."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, eq=False)
class _Conv:
    """weight: (out,in,3,3), or (in,out,3,3) of an up-convolution, in the activations' dtype, NHWC."""

    weight: Tensor
    ending: Ending
    width: int
    is_up: bool


@dataclass(frozen=True, eq=False)
class _Values:
    """Float32. inputs: (B,L,I) per convolution. outputs: (L,B,O) likewise. colours: (B,R,3,I) ToRGB weights."""

    inputs: Tensor
    outputs: Tensor
    colours: Tensor

    def following(self, k: int, width: int) -> Tensor | None:
        """The (B,width) input scales of the convolution after `k`."""
        return self.inputs[:, k + 1, :width] if k + 1 < self.inputs.shape[1] else None


@dataclass(frozen=True, eq=False)
class _Scales:
    """From a (B,D) latent to every layer's scales, L convolutions and R ToRGBs at once, zeros where a layer is narrow.

    affine: all styles and one that is always zero. places: where in them each of (L+R)*I values stands. squares:
    (L,I,O) sums over the kernel of squared weights. colours: (R,3,I) ToRGB weights.
    """

    affine: tuple[Tensor, Tensor]
    places: Tensor
    squares: Tensor
    colours: Tensor

    def __call__(self, latent: Tensor) -> _Values:
        layers, widest = self.squares.shape[:2]
        styles = F.linear(latent, *self.affine).index_select(1, self.places).view(len(latent), -1, widest)
        largest = torch.linalg.vector_norm(styles[:, :layers], torch.inf, dim=2, keepdim=True)
        largest = largest.clamp_min_(EPSILON)
        inputs = styles[:, :layers] / largest
        least = (EPSILON / largest.square()).transpose(0, 1)
        outputs = torch.baddbmm(least, inputs.square().transpose(0, 1), self.squares).rsqrt_()
        return _Values(inputs, outputs, self.colours * styles[:, layers:, None])


class _Folder:
    """Makes the layers of a network's: in float32 with factors applied there, then in their own dtype."""

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype, self.device = dtype, device

    def exact(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, torch.float32)

    def kernel(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, self.dtype).contiguous(memory_format=NHWC)

    def dense(self, layer: Any) -> Dense:
        """Every linear layer of the latent's way is activated."""
        return Dense(
            self.exact(layer.weight * (layer.scale * GAIN)), self.exact(layer.bias * (layer.lr_mul * GAIN))
        )

    def encoder(self, layers: Any) -> _Encoder:
        conv, activation = list(layers)[-2:]
        return _Encoder(self.kernel(conv.weight * (conv.scale * GAIN)), self.exact(activation.bias * GAIN))

    def styled(self, layer: StyledConv, feature_bias: Tensor) -> _Conv:
        conv = layer.conv
        weight, is_up = conv.weight[0] * (conv.scale * GAIN), conv.blur is not None
        own, skip = (self.exact(layer.activate.bias) * GAIN).chunk(2)
        # The skip half's bias starts where 16 bytes may not: kernels read it in vectors.
        ending = Ending(own.clone(), feature_bias, float(layer.noise.weight) * GAIN, skip.clone())
        return _Conv(self.kernel(weight.transpose(0, 1) if is_up else weight), ending, len(weight), is_up)

    def scales(self, convs: list[Any], rgbs: list[Any]) -> _Scales:
        affines: list[EqualLinear] = [each.conv.modulation for each in (*convs, *rgbs)]
        widths = [len(affine.bias) for affine in affines]
        weight = torch.cat([a.weight * a.scale for a in affines])
        bias = torch.cat([a.bias * a.lr_mul for a in affines])
        places = torch.full((len(affines), max(widths)), sum(widths))
        for row, width, values in zip(places, widths, torch.arange(sum(widths)).split(widths), strict=True):
            row[:width] = values
        squares = torch.zeros(len(convs), max(widths), max(conv.conv.weight.shape[1] for conv in convs))
        colours = torch.zeros(len(rgbs), 3, max(widths))
        for made, conv in zip(squares, convs, strict=True):
            summed = (conv.conv.weight[0] * conv.conv.scale).square().sum((2, 3)).t()
            made[: summed.shape[0], : summed.shape[1]] = summed
        for made, rgb in zip(colours, rgbs, strict=True):
            made[:, : rgb.conv.weight.shape[2]] = rgb.conv.weight[0, :, :, 0, 0] * rgb.conv.scale
        affine = self.exact(F.pad(weight, (0, 0, 0, 1))), self.exact(F.pad(bias, (0, 1)))
        return _Scales(affine, places.flatten().to(self.device), self.exact(squares), self.exact(colours))
