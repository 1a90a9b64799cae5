"""The folded generator for CUDA: convolutions by cuDNN, everything between them in one kernel each.

The function is that of `folded.py`, cut differently: a kernel of `kernels/` takes what a convolution gave through
FIR, demodulation, biases and activations, adds the encoder's half and multiplies the next convolution's input scales
in, so that the wide tensor is written once, ready to be convolved. ToRGB reads the same registers, in float32 before
those scales. Encoder features are kept as their convolutions gave them; who reads them adds bias and activation.

The small work between latent and scales is done in float32, in one kernel a linear layer and one for all the rest: on a
GPU it costs launches. In half precision its weights are kept in 16 bits too, see `kernels/rows.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels.dense import DenseLayer
from gpen_fast.gpen.cuda.kernels.modulate import Modulation, even, modulation, spans
from gpen_fast.gpen.cuda.kernels.rows import packed, storages
from gpen_fast.gpen.cuda.kernels.same import ToRGBParams
from gpen_fast.gpen.cuda.kernels.steps import BY_KERNEL, Steps
from gpen_fast.gpen.cuda.kernels.wide import EpilogueParams, empty_nhwc
from gpen_fast.gpen.folded.layers import NHWC, encoder_dtype
from gpen_fast.gpen.layers import GAIN, EqualLinear, fir_kernel
from gpen_fast.gpen.reference import FullGenerator, StyledConv


class CudaGenerator:
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
        self.config, self.dtype, self.steps = network.config, dtype, steps
        fold = _Folder(dtype, device)
        decoder: Any = network.generator
        encoders = [network.get_submodule(f"ecd{i}.0") for i in range(len(self.config.sides))]
        self._encoders = [
            _Folder(encoder_dtype(side, dtype), device).encoder(layers)
            for side, layers in zip(reversed(self.config.sides), encoders, strict=True)
        ]
        self._input = fold.exact(decoder.input.input).contiguous(memory_format=NHWC)
        convs = [decoder.conv1, *decoder.convs]
        biases = [encoder.bias for encoder in self._encoders]
        self._convs = [fold.styled(conv, biases[-1 - (k + 1) // 2]) for k, conv in enumerate(convs)]
        rgbs = [decoder.to_rgb1, *decoder.to_rgbs]
        self._rgb_biases = [fold.exact(rgb.bias.flatten()) for rgb in rgbs]
        mapping = list(decoder.style)[1:]
        self._latent = fold.latent(network.get_submodule("final_linear.0"), self._encoders[-1].bias, mapping)
        self._latent.append(fold.affine([each.conv.modulation for each in (*convs, *rgbs)]))
        self._modulation = fold.modulation(convs, rgbs)

    def __call__(self, faces: Tensor) -> Tensor:
        return self.run(faces, self.steps)

    def run(self, faces: Tensor, steps: Steps) -> Tensor:
        """The network by other steps than its own."""
        features, scales = self._encoded(faces.to(self.dtype, memory_format=NHWC), steps)
        return self._decoded(features, scales, steps)

    def _encoded(self, x: Tensor, steps: Steps) -> tuple[list[Tensor], _Scales]:
        """What the encoder's convolutions gave, from full size down to 4 pixels, and every layer's scales."""
        features: list[Tensor] = []
        for k, encoder in enumerate(self._encoders):
            x = x.to(encoder.weight.dtype)
            if k:
                x = steps.blur(x, self._encoders[k - 1].bias)
            x = F.conv2d(x, encoder.weight, stride=2 if k else 1)
            features.append(x.to(self.dtype))
        return features, self._scaled(x, steps)

    def _scaled(self, smallest: Tensor, steps: Steps) -> _Scales:
        """Every layer's scales, from the smallest feature by way of latent and styles."""
        x = smallest.permute(0, 2, 3, 1).flatten(1)
        for layer in self._latent:
            x = steps.dense(x, layer)
        return _Scales(self._modulation, *steps.modulate(x, self._modulation))

    def _decoded(self, features: list[Tensor], scales: _Scales, steps: Steps) -> Tensor:
        """(B,3,S,S) float32. Each result takes its input's name, and features leave their list after their last use, so
        that their memory is free for the next."""
        x: Any = empty_nhwc(features[-1], *self._input.shape[1:])
        torch.mul(self._input, scales.input(0)[:, :, None, None], out=x)
        rgb: Tensor | None = None
        for k, conv in enumerate(self._convs):
            feature, scale = features[-1], scales.output(k)
            following = scales.input(k + 1) if k + 1 < len(self._convs) else None
            if conv.is_up:
                x = F.conv_transpose2d(x, conv.weight, stride=2)
                x = steps.end_up(x, feature, scale, conv.epilogue, following)
            else:
                x = F.conv2d(x, conv.weight, padding=1)
                colours = ToRGBParams(scales.colour(k // 2), self._rgb_biases[k // 2], rgb)
                x, rgb = steps.end_same(x, feature, scale, conv.epilogue, following, colours)
                features.pop()
        assert rgb is not None
        return rgb


def has_published_fir(network: FullGenerator) -> bool:
    """Whether every FIR kernel is [1,3,3,1] x [1,3,3,1] of its place's gain, as the kernels take it to be."""
    return all(
        torch.allclose(kernel.cpu(), fir_kernel(1.0 if name.startswith("ecd") else 4.0), rtol=1e-5)
        for name, kernel in network.named_buffers()
    )


@dataclass(frozen=True, eq=False)
class _Encoder:
    """weight: in the dtype it is computed in, NHWC. bias: (C,) float32, added by whoever reads the result."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, eq=False)
class _Conv:
    """weight: (out,in,3,3), or (in,out,3,3) of an up-convolution, in the activations' dtype, NHWC."""

    weight: Tensor
    epilogue: EpilogueParams
    is_up: bool


@dataclass(frozen=True, eq=False)
class _Scales:
    """What `modulate` gave, for each layer. inputs: (B,I), outputs: (B,O), colours: (B,3,R), float32."""

    places: Modulation
    inputs: Tensor
    outputs: Tensor
    colours: Tensor

    def input(self, k: int) -> Tensor:
        """(B,in) input scales of a convolution."""
        return self.inputs[:, self.places.inputs[k]]

    def output(self, k: int) -> Tensor:
        """(B,out) output scales of a convolution."""
        return self.outputs[:, self.places.outputs[k]]

    def colour(self, k: int) -> Tensor:
        """(B,3,in) weights of a ToRGB."""
        return self.colours[:, :, self.places.rgbs[k]]


class _Folder:
    """Makes the layers of a network's: in float32 with factors applied there, then in their own dtype."""

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype, self.device, self.storages = dtype, device, storages(dtype)

    def exact(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, torch.float32)

    def kernel(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, self.dtype).contiguous(memory_format=NHWC)

    def latent(self, final: Any, encoder_bias: Tensor, mapping: list[EqualLinear]) -> list[DenseLayer]:
        """From the encoder's smallest feature, channels last, to the mapped latent; the norm is before the mapping."""
        channels = len(encoder_bias)
        weight = final.weight.unflatten(1, (channels, -1)).transpose(1, 2).flatten(1)
        first = self.dense(weight, final, input_bias=encoder_bias)
        return [first, *(self.dense(each.weight, each, normalised=not k) for k, each in enumerate(mapping))]

    def dense(self, weight: Tensor, layer: EqualLinear, **around: Any) -> DenseLayer:
        """Every linear layer of the latent's way is activated."""
        rows = packed(self.exact(weight * (layer.scale * GAIN)), self.storages[0])
        return DenseLayer(rows, self.exact(layer.bias * (layer.lr_mul * GAIN)), **around)

    def affine(self, layers: list[EqualLinear]) -> DenseLayer:
        """All styles at once, each layer's where `modulate` looks for it."""
        places = spans([len(layer.bias) for layer in layers])
        weight = torch.zeros(even(places[-1].stop), layers[0].weight.shape[1], device=self.device)
        bias = torch.zeros(len(weight), device=self.device)
        for layer, place in zip(layers, places, strict=True):
            weight[place], bias[place] = layer.weight * layer.scale, layer.bias * layer.lr_mul
        return DenseLayer(packed(self.exact(weight), self.storages[0]), self.exact(bias), activated=False)

    def modulation(self, convs: list[Any], rgbs: list[Any]) -> Modulation:
        squares = [(conv.conv.weight[0] * conv.conv.scale).square().sum((2, 3)) for conv in convs]
        colours = [rgb.conv.weight[0, :, :, 0, 0] * rgb.conv.scale for rgb in rgbs]
        return modulation(
            [self.exact(each) for each in squares], [self.exact(each) for each in colours], self.storages[1]
        )

    def encoder(self, layers: Any) -> _Encoder:
        conv, activation = list(layers)[-2:]
        return _Encoder(self.kernel(conv.weight * (conv.scale * GAIN)), self.exact(activation.bias * GAIN))

    def styled(self, layer: StyledConv, feature_bias: Tensor) -> _Conv:
        conv = layer.conv
        weight, is_up = conv.weight[0] * (conv.scale * GAIN), conv.blur is not None
        own, skip = (self.exact(layer.activate.bias) * GAIN).chunk(2)
        # The skip half's bias starts where 16 bytes may not: kernels read it in vectors.
        epilogue = EpilogueParams(own.clone(), feature_bias, float(layer.noise.weight) * GAIN, skip.clone())
        return _Conv(self.kernel(weight.transpose(0, 1) if is_up else weight), epilogue, is_up)
