"""GPEN's generator in its published form: the readable truth that every faster form must equal.

"GAN Prior Embedded Network for Blind Face Restoration in the Wild" (Yang et al., CVPR 2021). Parameter names are
those of yangxy/GPEN, so that a published checkpoint loads strictly.

    picture (B,3,S,S) -> encoder -> features at S, S/2, ..., 4 pixels
    feature at 4 pixels -> final_linear -> mapping network -> latent (B,D), the same for every layer
    learnt constant (1,C,4,4) -> styled convolutions, each with the encoder's feature of its size -> RGB (B,3,S,S)
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.layers import (
    Blur,
    EqualConv2d,
    EqualLinear,
    FusedLeakyReLU,
    ModulatedConv2d,
    PixelNorm,
    Upsample,
    normal,
)

MAPPING_LR = 0.01
"""The mapping network was trained at a hundredth of the network's learning rate."""


class ConstantInput(nn.Module):
    """The decoder's learnt start: (1,C,4,4), repeated for each face."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(normal(1, channels, 4, 4))

    def forward(self, batch: int) -> Tensor:
        return self.input.expand(batch, -1, -1, -1)


class FeatureInjection(nn.Module):
    """What GPEN makes of StyleGAN2's noise input: the encoder's feature, scaled and concatenated.

    x (B,C,H,W) and feature (B,C,H,W) to (B,2C,H,W).
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, feature: Tensor) -> Tensor:
        return torch.cat((x, self.weight * feature), dim=1)


class StyledConv(nn.Module):
    """Modulated convolution, feature injection, activation: (B,in,H,W) to (B,2*out,H,W) or (B,2*out,2H,2W).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the convolution's output, and of the encoder's feature beside it.
        style_dim: Width of the latent.
        upsample: Whether height and width are doubled.
    """

    def __init__(
        self, in_channels: int, out_channels: int, style_dim: int, *, upsample: bool = False
    ) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, out_channels, 3, style_dim, upsample=upsample)
        self.noise = FeatureInjection()
        self.activate = FusedLeakyReLU(2 * out_channels)

    def forward(self, x: Tensor, latent: Tensor, feature: Tensor) -> Tensor:
        return self.activate(self.noise(self.conv(x, latent), feature))


class ToRGB(nn.Module):
    """Adds this size's (B,3,H,W) contribution to the upsampled RGB of the smaller sizes."""

    def __init__(self, in_channels: int, style_dim: int, *, upsample: bool = True) -> None:
        super().__init__()
        self.upsample = Upsample() if upsample else None
        self.conv = ModulatedConv2d(in_channels, 3, 1, style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor, latent: Tensor, skip: Tensor | None = None) -> Tensor:
        rgb: Tensor = self.conv(x, latent) + self.bias
        if self.upsample is None or skip is None:
            return rgb
        return rgb + self.upsample(skip)


class Decoder(nn.Module):
    """Mapping network and StyleGAN2 synthesis, which also reads the encoder's features."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        dim = config.style_dim
        mapping = [EqualLinear(dim, dim, lr_mul=MAPPING_LR, activate=True) for _ in range(config.n_mlp)]
        self.style = nn.Sequential(PixelNorm(), *mapping)
        first = config.width(4)
        self.input = ConstantInput(first)
        self.conv1 = StyledConv(first, first, dim)
        self.to_rgb1 = ToRGB(2 * first, dim, upsample=False)
        self.convs = nn.ModuleList()
        self.to_rgbs = nn.ModuleList()
        for side in config.sides[1:]:
            below, width = config.width(side // 2), config.width(side)
            self.convs.append(StyledConv(2 * below, width, dim, upsample=True))
            self.convs.append(StyledConv(2 * width, width, dim))
            self.to_rgbs.append(ToRGB(2 * width, dim))

    def forward(self, latent: Tensor, features: list[Tensor]) -> Tensor:
        """Synthesises the picture.

        Args:
            latent: (B,D), before the mapping network. Every layer gets the same mapped latent.
            features: The encoder's, from 4 pixels up.

        Returns:
            (B,3,S,S) RGB.
        """
        latent = self.style(latent)
        x = self.conv1(self.input(latent.shape[0]), latent, features[0])
        rgb: Tensor = self.to_rgb1(x, latent)
        for i, to_rgb in enumerate(self.to_rgbs):
            feature = features[i + 1]
            x = self.convs[2 * i](x, latent, feature)
            x = self.convs[2 * i + 1](x, latent, feature)
            rgb = to_rgb(x, latent, rgb)
        return rgb

    @property
    def mapping_layers(self) -> list[EqualLinear]:
        """The mapping network's linear layers, without the pixel norm before them."""
        return cast("list[EqualLinear]", list(self.style)[1:])

    @property
    def styled_convs(self) -> list[StyledConv]:
        """All styled convolutions in order. Even numbers keep the size and end in a ToRGB; odd numbers double it."""
        return [self.conv1, *cast("list[StyledConv]", list(self.convs))]

    @property
    def rgb_layers(self) -> list[ToRGB]:
        """All ToRGBs in order: number k reads styled convolution 2k."""
        return [self.to_rgb1, *cast("list[ToRGB]", list(self.to_rgbs))]


class EncoderParts(NamedTuple):
    """One size of the encoder, taken apart."""

    side: int
    """Side of the output, pixels."""
    blur: Blur | None
    """Before a convolution of stride 2; None at full size, where the convolution is 1x1."""
    conv: EqualConv2d
    activation: FusedLeakyReLU


class FullGenerator(nn.Module):
    """The whole network: (B,3,S,S) RGB in [-1,1] to (B,3,S,S), nominally in [-1,1], not clamped."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        top = config.width(config.size)
        first = nn.Sequential(EqualConv2d(3, top, 1, stride=1, padding=0), FusedLeakyReLU(top))
        self.ecd0 = nn.Sequential(first)
        sides = config.sides[::-1]
        for i, (above, side) in enumerate(pairwise(sides), start=1):
            step = _encoder_step(config.width(above), config.width(side))
            self.add_module(f"ecd{i}", nn.Sequential(step))
        flat = config.width(4) * 4 * 4
        self.final_linear = nn.Sequential(EqualLinear(flat, config.style_dim, activate=True))
        self.generator = Decoder(config)

    def forward(self, picture: Tensor) -> Tensor:
        features = []
        x = picture
        for i in range(len(self.config.sides)):
            x = self.get_submodule(f"ecd{i}")(x)
            features.append(x)
        latent = self.final_linear(x.flatten(1))
        return self.generator(latent, features[::-1])

    @property
    def encoder_parts(self) -> list[EncoderParts]:
        """The encoder from full size down to 4 pixels."""
        parts = []
        for i, side in enumerate(reversed(self.config.sides)):
            layers = list(cast("nn.Sequential", self.get_submodule(f"ecd{i}.0")))
            blur = cast("Blur", layers[0]) if len(layers) == 3 else None
            conv, activation = cast("EqualConv2d", layers[-2]), cast("FusedLeakyReLU", layers[-1])
            parts.append(EncoderParts(side, blur, conv, activation))
        return parts

    @property
    def latent_layer(self) -> EqualLinear:
        """The linear layer from the flattened feature at 4 pixels, channels first, to the latent."""
        return cast("EqualLinear", self.final_linear[0])


def _encoder_step(in_channels: int, out_channels: int) -> nn.Sequential:
    """Blur, stride-2 convolution, activation: (B,in,H,W) to (B,out,H/2,W/2)."""
    return nn.Sequential(
        Blur(pad=(2, 2)),
        EqualConv2d(in_channels, out_channels, 3, stride=2, padding=0),
        FusedLeakyReLU(out_channels),
    )
