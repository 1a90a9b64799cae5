"""The generator folded for inference: the function of `network.py` with nothing computed twice.

- Scales of the equalised learning rate, the activation's gain of sqrt(2) and all biases are folded into weights:
  leaky ReLU is positively homogeneous.
- A modulated convolution is an input scale, a convolution by the shared weight, an output scale ("Analyzing and
  Improving the Image Quality of StyleGAN", Karras et al., 2020, appendix B): no weight per face.
- Every layer has the same latent, so the styles of all layers are one matrix product.
- Latent, styles and demodulation are float32; beside bfloat16 so are the encoder's last convolutions. Styles are
  divided by their largest value, which demodulation takes out again, so that half precision meets no product of a
  large style and a small scale.
- RGB is summed up in float32.

Tensors are (B,C,H,W) in memory format channels_last (NHWC) throughout.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.folded.layers import EPSILON, NHWC, CpuToRGB, Dense, Encoder, Style, Styled, encoder_dtype
from gpen_fast.gpen.layers import GAIN, Blur, ModulatedConv2d
from gpen_fast.gpen.reference import FullGenerator, StyledConv, ToRGB

DTYPES = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


class FoldedGenerator:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, nominally in [-1,1], not clamped.

    dtype: of convolutions and activations: float32, bfloat16 or float16.
    """

    def __init__(self, network: FullGenerator, dtype: torch.dtype, device: torch.device) -> None:
        self.config, self.dtype = network.config, dtype
        fold = _Folder(dtype, device)
        decoder: Any = network.generator
        self._encoders = [
            _Folder(encoder_dtype(side, dtype), device).encoder(network.get_submodule(f"ecd{i}.0"))
            for i, side in enumerate(reversed(self.config.sides))
        ]
        self._latent = fold.dense(network.final_linear[0])
        self._mapping = [fold.dense(layer) for layer in list(decoder.style)[1:]]
        self._input = fold.activation(decoder.input.input)
        layers: list[tuple[StyledConv, ToRGB | None]] = [(decoder.conv1, decoder.to_rgb1)]
        for i, to_rgb in enumerate(decoder.to_rgbs):
            layers += [(decoder.convs[2 * i], None), (decoder.convs[2 * i + 1], to_rgb)]
        self._convs = [fold.styled(conv) for conv, _ in layers]
        self._rgbs = [fold.rgb(to_rgb) if to_rgb else None for _, to_rgb in layers]
        convs = [each.conv for pair in layers for each in pair if each is not None]
        self._style_weight = torch.cat([fold.exact(c.modulation.weight * c.modulation.scale) for c in convs])
        self._style_bias = torch.cat([fold.exact(c.modulation.bias * c.modulation.lr_mul) for c in convs])
        self._style_widths = [c.modulation.weight.shape[0] for c in convs]

    def __call__(self, faces: Tensor) -> Tensor:
        features, latent = self._encoded(faces.to(self.dtype, memory_format=NHWC))
        styles = self._styles(latent)
        x, rgb = self._input.expand(len(faces), -1, -1, -1), None
        for number, (conv, to_rgb) in enumerate(zip(self._convs, self._rgbs, strict=True)):
            x = conv(x, next(styles), features[-1 - (number + 1) // 2])
            rgb = to_rgb(x, next(styles), rgb) if to_rgb else rgb
        assert rgb is not None
        return rgb

    def _encoded(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """The features from full size down to 4 pixels, and the (B,D) latent."""
        features = []
        for encoder in self._encoders:
            x = encoder(x)
            features.append(x.to(self.dtype))
        latent = self._latent(x.float().flatten(1))
        latent = latent * torch.rsqrt(latent.square().mean(dim=1, keepdim=True) + EPSILON)
        for layer in self._mapping:
            latent = layer(latent)
        return features, latent

    def _styles(self, latent: Tensor) -> Any:
        styles = F.linear(latent, self._style_weight, self._style_bias)
        for whole in styles.split(self._style_widths, dim=1):
            largest = whole.abs().amax(dim=1, keepdim=True).clamp_min(EPSILON)
            yield Style(whole, whole / largest, largest)


def switches(precision: str) -> str:
    """The arithmetic that a folded network of `precision` runs under: it takes its halves from itself."""
    return "tf32" if precision == "tf32" else "fp32"


class _Folder:
    """Makes folded layers of a network's: in float32 with factors applied there, then in their own dtype."""

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self.dtype, self.device = dtype, device

    def exact(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, torch.float32)

    def activation(self, values: Tensor) -> Tensor:
        return values.detach().to(self.device, self.dtype, memory_format=NHWC)

    def dense(self, layer: Any) -> Dense:
        """Every linear layer of the latent's way is activated."""
        return Dense(
            self.exact(layer.weight * (layer.scale * GAIN)), self.exact(layer.bias * (layer.lr_mul * GAIN))
        )

    def encoder(self, layers: Any) -> Encoder:
        blur, conv, activation = layers if len(layers) == 3 else (None, *layers)
        weight = self.activation(conv.weight * (conv.scale * GAIN))
        return Encoder(
            weight, self.exact(activation.bias * GAIN).to(self.dtype), self.fir(blur, weight.shape[1])
        )

    def styled(self, layer: StyledConv) -> Styled:
        conv: ModulatedConv2d = layer.conv
        weight = conv.weight[0] * (conv.scale * GAIN)
        own, skip = (layer.activate.bias.detach() * GAIN).view(1, -1, 1, 1).chunk(2, dim=1)
        return Styled(
            self.exact(weight).contiguous(memory_format=NHWC),
            self.activation(weight),
            self.exact(weight / GAIN).square().sum((2, 3)),
            self.activation(own),
            self.activation((layer.noise.weight * GAIN).view(1, 1, 1, 1)),
            self.activation(skip),
            self.fir(conv.blur, weight.shape[0]),
        )

    def rgb(self, layer: ToRGB) -> CpuToRGB:
        fir = self.exact(layer.upsample.kernel).expand(3, 1, -1, -1) if layer.upsample else None
        weight = self.exact(layer.conv.weight[0] * layer.conv.scale)
        gain = max(float(weight.abs().max()), EPSILON)
        return CpuToRGB(weight / gain, gain, self.exact(layer.bias.flatten()), fir)

    def fir(self, blur: Blur | None, channels: int) -> Tensor | None:
        if blur is None:
            return None
        return self.exact(blur.kernel).to(self.dtype).expand(channels, 1, -1, -1).contiguous()
