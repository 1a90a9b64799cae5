"""The folded generator for CUDA: convolutions by cuDNN, everything between two convolutions in one kernel.

The function is that of `folded`, cut differently. A kernel of `kernels/` takes a convolution's output through FIR,
demodulation, bias and activation, computes the encoder's half beside it, and multiplies the next convolution's input
scales in. So the tensor of both halves, the widest of the network, is never concatenated: it is written once, half
by half, ready for the next convolution. ToRGB reads the same registers, in float32, before those scales. Encoder
features are kept as their convolutions gave them; the kernels that read them add bias and activation.

The small layers between the encoder and the scales are bound by launches and by their weights' bytes. They run in
float32, one kernel for each linear layer and one for all scales. In half precision their weights are kept in 16 bits
(`kernels/rows.py`).

fp16 cannot overflow: styles are divided by their layer's largest value, and demodulation, which takes that out again,
is computed in float32 and applied to float32 registers (`folded.layers.LayerStyle`). Nothing is clamped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.cuda.kernels.dense import DenseLayer
from gpen_fast.gpen.cuda.kernels.kernel_set import TRITON, KernelSet
from gpen_fast.gpen.cuda.kernels.modulate import ModulationPlan, align_up, aligned_slices, plan_modulation
from gpen_fast.gpen.cuda.kernels.rows import pack_rows, storage_dtypes
from gpen_fast.gpen.cuda.kernels.same import ToRGBParams
from gpen_fast.gpen.cuda.kernels.wide import EpilogueParams, empty_nhwc
from gpen_fast.gpen.folded.layers import NHWC, encoder_dtype
from gpen_fast.gpen.layers import GAIN, EqualLinear, fir_kernel
from gpen_fast.gpen.reference import EncoderParts, FullGenerator, StyledConv, ToRGB


class CudaGenerator:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, nominally in [-1,1], not clamped.

    Args:
        network: The reference network; it is not changed. `has_published_fir` must hold for it.
        dtype: Of convolutions and activations: float32, bfloat16 or float16.
        device: Where the folded weights are.
        kernels: What runs between the convolutions.
    """

    def __init__(
        self,
        network: FullGenerator,
        dtype: torch.dtype,
        device: torch.device,
        kernels: KernelSet = TRITON,
    ) -> None:
        self.config, self.dtype, self.kernels = network.config, dtype, kernels
        folder, decoder = _CudaFolder(dtype, device), network.generator
        self._encoder = [
            _CudaFolder(encoder_dtype(parts.side, dtype), device).encoder(parts)
            for parts in network.encoder_parts
        ]
        self._input = folder.exact(decoder.input.input).contiguous(memory_format=NHWC)
        convs, rgbs = decoder.styled_convs, decoder.rgb_layers
        biases = [layer.bias for layer in self._encoder]
        # Layer 0 is at 4 pixels; then two layers share each size's feature.
        self._convs = [folder.styled(conv, biases[-1 - (k + 1) // 2]) for k, conv in enumerate(convs)]
        self._rgb_biases = [folder.exact(rgb.bias.flatten()) for rgb in rgbs]
        self._latent = folder.latent(network.latent_layer, biases[-1], decoder.mapping_layers)
        self._latent.append(
            folder.affine([*(conv.conv.modulation for conv in convs), *(rgb.conv.modulation for rgb in rgbs)])
        )
        self._modulation = folder.modulation(convs, rgbs)

    def __call__(self, faces: Tensor) -> Tensor:
        """Restores faces; queues the work and does not wait for it."""
        return self.run(faces, self.kernels)

    def run(self, faces: Tensor, kernels: KernelSet) -> Tensor:
        """Restores faces by other kernels than the generator's own.

        Args:
            faces: (B,3,S,S) float32 RGB in [-1,1].
            kernels: What runs between the convolutions.
        """
        features, scales = self._encode(faces.to(self.dtype, memory_format=NHWC), kernels)
        return self._decode(features, scales, kernels)

    def _encode(self, x: Tensor, kernels: KernelSet) -> tuple[list[Tensor], _Scales]:
        """The outputs of the encoder's convolutions from full size down to 4 pixels, and every layer's scales.

        The outputs lack their bias and activation.
        """
        # (B,3,S,S) -> (B,C,S,S): the 1x1 convolution at full size.
        first = self._encoder[0].weight
        x = F.conv2d(x.to(first.dtype), first)
        features = [x.to(self.dtype)]
        for above, layer in pairwise(self._encoder):
            # (B,C,H,W) -> (B,C,H+1,W+1): the bias and leaky ReLU that x lacks, then the blur.
            x = kernels.blur(x.to(layer.weight.dtype), above.bias)
            # (B,C,H+1,W+1) -> (B,out,H/2,W/2).
            x = F.conv2d(x, layer.weight, stride=2)
            features.append(x.to(self.dtype))
        return features, self._scale(x, kernels)

    def _scale(self, smallest: Tensor, kernels: KernelSet) -> _Scales:
        """Every layer's scales, from the (B,C,4,4) output of the encoder's last convolution."""
        # (B,C,4,4) -> (B,4,4,C) -> (B,16*C): channels last, a view of NHWC memory.
        x = smallest.permute(0, 2, 3, 1).flatten(1)
        # (B,16*C) -> (B,D) through the final linear and the mapping -> (B, all styles).
        for layer in self._latent:
            x = kernels.dense(x, layer)
        return _Scales(self._modulation, *kernels.modulate(x, self._modulation))

    def _decode(self, features: list[Tensor], scales: _Scales, kernels: KernelSet) -> Tensor:
        """The features, of which the list loses each after its last use, to (B,3,S,S) RGB, float32.

        Every result takes its input's name and features leave the list, so that their memory is free for the next.
        """
        # (1,C,4,4) -> (B,C,4,4): the learnt constant times the first convolution's input scales.
        x: Tensor | None = empty_nhwc(features[-1], *self._input.shape[1:])
        torch.mul(self._input, scales.input(0)[:, :, None, None], out=x)
        rgb: Tensor | None = None
        for k, conv in enumerate(self._convs):
            assert x is not None
            feature, demodulation = features[-1], scales.output(k)
            if conv.is_up:
                # (B,in,H,W) -> (B,out,2H+1,2W+1): one weight for all faces.
                x = F.conv_transpose2d(x, conv.weight, stride=2)
                # -> (B,2*out,2H,2W): FIR, demodulation, both halves, the next input scales.
                x = kernels.up_epilogue(x, feature, demodulation, conv.epilogue, scales.input(k + 1))
            else:
                # (B,in,H,W) -> (B,out,H,W).
                x = F.conv2d(x, conv.weight, padding=1)
                to_rgb = ToRGBParams(scales.rgb_weight(k // 2), self._rgb_biases[k // 2], rgb)
                next_scale = scales.input(k + 1) if k + 1 < len(self._convs) else None
                # -> (B,2*out,H,W), None after the last convolution, and (B,3,H,W) RGB so far, float32.
                x, rgb = kernels.same_epilogue(x, feature, demodulation, conv.epilogue, next_scale, to_rgb)
                features.pop()
        assert rgb is not None
        return rgb


def has_published_fir(network: FullGenerator) -> bool:
    """Whether every FIR kernel is [1,3,3,1] x [1,3,3,1] with the gain of its place, which the kernels have built in."""
    return all(
        torch.allclose(kernel.cpu(), fir_kernel(1.0 if name.startswith("ecd") else 4.0), rtol=1e-5)
        for name, kernel in network.named_buffers()
    )


@dataclass(frozen=True, eq=False)
class _EncoderWeights:
    """One size of the encoder."""

    weight: Tensor
    """(out,in,k,k) in the dtype that it is computed in, NHWC."""
    bias: Tensor
    """(out,) float32, added by the kernels that read the convolution's output."""


@dataclass(frozen=True, eq=False)
class _StyledWeights:
    """One styled convolution."""

    weight: Tensor
    """(out,in,3,3), of an up-convolution (in,out,3,3), in the activations' dtype, NHWC."""
    epilogue: EpilogueParams
    """What its kernel applies to the output."""
    is_up: bool
    """Whether it doubles height and width."""


@dataclass(frozen=True, eq=False)
class _Scales:
    """The results of `modulate`, cut by layer. Layers stand one after the other in each row."""

    plan: ModulationPlan
    inputs: Tensor
    """(B,I) float32: normalised styles."""
    outputs: Tensor
    """(B,O) float32: demodulation."""
    rgb_weights: Tensor
    """(B,3,R) float32: ToRGB weights times their styles."""

    def input(self, k: int) -> Tensor:
        """(B,in) input scales of convolution k."""
        return self.inputs[:, self.plan.input_slices[k]]

    def output(self, k: int) -> Tensor:
        """(B,out) output scales of convolution k."""
        return self.outputs[:, self.plan.output_slices[k]]

    def rgb_weight(self, k: int) -> Tensor:
        """(B,3,in) weights of ToRGB k."""
        return self.rgb_weights[:, :, self.plan.rgb_slices[k]]


class _CudaFolder:
    """Folds layers: factors are applied in float32, then the result is cast to the layer's dtype."""

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype, self.device = dtype, device
        self.linear_storage, self.squares_storage = storage_dtypes(dtype)

    def exact(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, torch.float32)

    def conv_weight(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, self.dtype).contiguous(memory_format=NHWC)

    def latent(
        self, final: EqualLinear, encoder_bias: Tensor, mapping: Sequence[EqualLinear]
    ) -> list[DenseLayer]:
        """From the encoder's smallest feature to the mapped latent; pixel norm comes before the first mapping layer.

        The feature is flattened channels last, (B,16*C), so the final layer's columns are reordered to that.
        """
        channels = len(encoder_bias)
        # (D,C*16) -> (D,C,16) -> (D,16,C) -> (D,16*C).
        weight = final.weight.unflatten(1, (channels, -1)).transpose(1, 2).flatten(1)
        first = self.dense(weight, final, input_bias=encoder_bias)
        return [first, *(self.dense(each.weight, each, normalised=not k) for k, each in enumerate(mapping))]

    def dense(
        self,
        weight: Tensor,
        layer: EqualLinear,
        *,
        normalised: bool = False,
        input_bias: Tensor | None = None,
    ) -> DenseLayer:
        """A layer between the encoder and the styles; each of them is activated."""
        rows = pack_rows(self.exact(weight * (layer.scale * GAIN)), self.linear_storage)
        bias = self.exact(layer.bias * (layer.lr_mul * GAIN))
        return DenseLayer(rows, bias, normalised=normalised, input_bias=input_bias)

    def affine(self, layers: Sequence[EqualLinear]) -> DenseLayer:
        """All styles in one layer, each layer's where `modulate` reads it; rows between layers are zero."""
        places = aligned_slices([len(layer.bias) for layer in layers])
        weight = torch.zeros(align_up(places[-1].stop), layers[0].weight.shape[1], device=self.device)
        bias = torch.zeros(len(weight), device=self.device)
        for layer, place in zip(layers, places, strict=True):
            weight[place], bias[place] = layer.weight * layer.scale, layer.bias * layer.lr_mul
        return DenseLayer(
            pack_rows(self.exact(weight), self.linear_storage), self.exact(bias), activated=False
        )

    def modulation(self, convs: Sequence[StyledConv], rgbs: Sequence[ToRGB]) -> ModulationPlan:
        squares = [(conv.conv.weight[0] * conv.conv.scale).square().sum((2, 3)) for conv in convs]
        weights = [rgb.conv.weight[0, :, :, 0, 0] * rgb.conv.scale for rgb in rgbs]
        return plan_modulation(
            [self.exact(each) for each in squares],
            [self.exact(each) for each in weights],
            self.squares_storage,
        )

    def encoder(self, parts: EncoderParts) -> _EncoderWeights:
        weight = self.conv_weight(parts.conv.weight * (parts.conv.scale * GAIN))
        return _EncoderWeights(weight, self.exact(parts.activation.bias * GAIN))

    def styled(self, layer: StyledConv, feature_bias: Tensor) -> _StyledWeights:
        conv = layer.conv
        weight, is_up = conv.weight[0] * (conv.scale * GAIN), conv.blur is not None
        bias, skip_bias = (self.exact(layer.activate.bias) * GAIN).chunk(2)
        # Kernels read biases in vectors of 16 bytes. A half of the whole bias may not start at a multiple of those,
        # a clone does.
        epilogue = EpilogueParams(
            bias.clone(), feature_bias, float(layer.noise.weight) * GAIN, skip_bias.clone()
        )
        return _StyledWeights(self.conv_weight(weight.transpose(0, 1) if is_up else weight), epilogue, is_up)
