"""The generator folded for inference: the function of `reference.py` with nothing computed twice.

- Scales of the equalised learning rate, the activation's gain of sqrt(2) and all biases are folded into weights:
  leaky ReLU is positively homogeneous, g * leaky_relu(y) = leaky_relu(g * y) for g > 0.
- A modulated convolution is an input scale, a convolution by the shared weight, an output scale ("Analyzing and
  Improving the Image Quality of StyleGAN", Karras et al., 2020, appendix B): no weight per face.
- Every layer has the same latent, so the styles of all layers are one matrix product.
- Latent, styles and demodulation are float32; in a bfloat16 network so are the encoder's last convolutions. Styles
  are divided by their largest value, which demodulation takes out again (`LayerStyle`), so that fp16 cannot overflow.
- RGB is summed in float32.

Tensors are (B,C,H,W) in memory format channels_last (NHWC) throughout.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.folded.layers import (
    EPSILON,
    NHWC,
    FoldedEncoderLayer,
    FoldedLinear,
    FoldedStyledConv,
    FoldedToRGB,
    LayerStyle,
    encoder_dtype,
)
from gpen_fast.gpen.layers import GAIN, Blur, EqualLinear
from gpen_fast.gpen.reference import EncoderParts, FullGenerator, StyledConv, ToRGB

DTYPES = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
"""The dtype of a folded network's convolutions and activations, by precision."""


class FoldedGenerator:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, nominally in [-1,1], not clamped.

    Args:
        network: The reference network; it is not changed.
        dtype: Of convolutions and activations: float32, bfloat16 or float16.
        device: Where the folded weights are.
    """

    def __init__(self, network: FullGenerator, dtype: torch.dtype, device: torch.device) -> None:
        self.config, self.dtype = network.config, dtype
        folder, decoder = _WeightFolder(dtype, device), network.generator
        self._encoder = [
            _WeightFolder(encoder_dtype(parts.side, dtype), device).encoder(parts)
            for parts in network.encoder_parts
        ]
        self._latent = folder.linear(network.latent_layer)
        self._mapping = [folder.linear(layer) for layer in decoder.mapping_layers]
        self._input = folder.in_dtype(decoder.input.input)
        # After every styled convolution that keeps its size, a ToRGB reads the result.
        rgbs = iter(decoder.rgb_layers)
        layers = [(conv, None if k % 2 else next(rgbs)) for k, conv in enumerate(decoder.styled_convs)]
        self._convs = [folder.styled(conv) for conv, _ in layers]
        self._rgbs = [folder.rgb(to_rgb) if to_rgb else None for _, to_rgb in layers]
        affine = [each.conv.modulation for pair in layers for each in pair if each is not None]
        self._style_weight = torch.cat([folder.exact(layer.weight * layer.scale) for layer in affine])
        self._style_bias = torch.cat([folder.exact(layer.bias * layer.lr_mul) for layer in affine])
        self._style_widths = [layer.weight.shape[0] for layer in affine]

    def __call__(self, faces: Tensor) -> Tensor:
        """Restores faces.

        Args:
            faces: (B,3,S,S) float32 RGB in [-1,1].
        """
        features, latent = self._encode(faces.to(self.dtype, memory_format=NHWC))
        styles = self._styles(latent)
        # (1,C,4,4) -> (B,C,4,4), not copied.
        x, rgb = self._input.expand(len(faces), -1, -1, -1), None
        for k, (conv, to_rgb) in enumerate(zip(self._convs, self._rgbs, strict=True)):
            # (B,in,H,W) -> (B,2*out,H',W'). Layer 0 is at 4 pixels; then two layers share each size's feature.
            x = conv(x, next(styles), features[-1 - (k + 1) // 2])
            # (B,2*out,H,W) -> (B,3,H,W) float32, added to the RGB of half the size.
            rgb = to_rgb(x, next(styles), rgb) if to_rgb else rgb
        assert rgb is not None
        return rgb

    def _encode(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """(B,3,S,S) to the features from full size down to 4 pixels, and the mapped latent, (B,D) float32."""
        features = []
        for layer in self._encoder:
            # (B,in,H,W) -> (B,out,H/2,W/2); near the latent x stays in float32, and the decoder gets a rounded copy.
            x = layer(x)
            features.append(x.to(self.dtype))
        # (B,C,4,4) -> (B,16*C) -> (B,D), float32 from here on.
        latent = self._latent(x.float().flatten(1))
        # Pixel norm: z / sqrt(mean(z^2) + e).
        latent = latent * torch.rsqrt(latent.square().mean(dim=1, keepdim=True) + EPSILON)
        for linear in self._mapping:
            latent = linear(latent)
        return features, latent

    def _styles(self, latent: Tensor) -> Iterator[LayerStyle]:
        """Every layer's styles, in the order of use, from one product: (B,D) to (B, all layers' widths)."""
        styles = F.linear(latent, self._style_weight, self._style_bias)
        for whole in styles.split(self._style_widths, dim=1):
            largest = whole.abs().amax(dim=1, keepdim=True).clamp_min(EPSILON)
            yield LayerStyle(whole, whole / largest, largest)


def arithmetic_for(precision: str) -> str:
    """What a folded network of `precision` needs from `device.precision.arithmetic`: fp32 or tf32.

    bf16 and fp16 are fp32 there: a folded network casts its tensors itself, and autocast would cast the float32 parts.
    """
    return "tf32" if precision == "tf32" else "fp32"


class _WeightFolder:
    """Folds layers: factors are applied in float32, then the result is cast to the layer's dtype."""

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype, self.device = dtype, device

    def exact(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, torch.float32)

    def in_dtype(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, self.dtype, memory_format=NHWC)

    def linear(self, layer: EqualLinear) -> FoldedLinear:
        """A layer between the encoder and the styles; each of them is activated."""
        return FoldedLinear(
            self.exact(layer.weight * (layer.scale * GAIN)), self.exact(layer.bias * (layer.lr_mul * GAIN))
        )

    def encoder(self, parts: EncoderParts) -> FoldedEncoderLayer:
        weight = self.in_dtype(parts.conv.weight * (parts.conv.scale * GAIN))
        bias = self.exact(parts.activation.bias * GAIN).to(self.dtype)
        return FoldedEncoderLayer(weight, bias, self.fir(parts.blur, weight.shape[1]))

    def styled(self, layer: StyledConv) -> FoldedStyledConv:
        conv = layer.conv
        weight = conv.weight[0] * (conv.scale * GAIN)
        bias, skip_bias = (layer.activate.bias.detach() * GAIN).view(1, -1, 1, 1).chunk(2, dim=1)
        return FoldedStyledConv(
            weight=self.exact(weight).contiguous(memory_format=NHWC),
            weight_in_dtype=self.in_dtype(weight),
            squares=self.exact(weight / GAIN).square().sum((2, 3)),
            bias=self.in_dtype(bias),
            skip_scale=self.in_dtype((layer.noise.weight * GAIN).view(1, 1, 1, 1)),
            skip_bias=self.in_dtype(skip_bias),
            fir=self.fir(conv.blur, weight.shape[0]),
        )

    def rgb(self, layer: ToRGB) -> FoldedToRGB:
        fir = self.exact(layer.upsample.kernel).expand(3, 1, -1, -1) if layer.upsample else None
        weight = self.exact(layer.conv.weight[0] * layer.conv.scale)
        gain = max(float(weight.abs().max()), EPSILON)
        return FoldedToRGB(weight / gain, gain, self.exact(layer.bias.flatten()), fir)

    def fir(self, blur: Blur | None, channels: int) -> Tensor | None:
        """(channels,1,4,4): a depthwise convolution's weight."""
        if blur is None:
            return None
        return self.exact(blur.kernel).to(self.dtype).expand(channels, 1, -1, -1).contiguous()
