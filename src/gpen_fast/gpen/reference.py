"""GPEN's generator in its published form: the readable truth that every faster form must equal.

"GAN Prior Embedded Network for Blind Face Restoration in the Wild" (Yang et al., CVPR 2021). Parameter names
are those of yangxy/GPEN, so that a published checkpoint loads strictly.
"""

from __future__ import annotations

from itertools import pairwise

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
)

# The mapping network was trained at a hundredth of the learning rate.
MAPPING_LR = 0.01


class ConstantInput(nn.Module):
    """The decoder's learnt (1,C,4,4) start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))

    def forward(self, batch: int) -> Tensor:
        return self.input.expand(batch, -1, -1, -1)


class FeatureInjection(nn.Module):
    """GPEN's use of StyleGAN2's noise input: the encoder's feature, scaled and concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, feature: Tensor) -> Tensor:
        return torch.cat((x, self.weight * feature), dim=1)


class StyledConv(nn.Module):
    """Modulated convolution, feature injection, activation: (B,in,H,W) to (B,2*out,H or 2H,...)."""

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
    """Adds this size's (B,3,H,W) contribution to the upsampled RGB skip."""

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
    """Mapping network and StyleGAN2 synthesis, fed with the encoder's features."""

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
        """`features`: the encoder's, from 4 pixels up. Every layer has the same latent."""
        latent = self.style(latent)
        x = self.conv1(self.input(latent.shape[0]), latent, features[0])
        rgb: Tensor = self.to_rgb1(x, latent)
        for i, to_rgb in enumerate(self.to_rgbs):
            feature = features[i + 1]
            x = self.convs[2 * i](x, latent, feature)
            x = self.convs[2 * i + 1](x, latent, feature)
            rgb = to_rgb(x, latent, rgb)
        return rgb


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


def _encoder_step(in_channels: int, out_channels: int) -> nn.Sequential:
    """Blur, stride-2 convolution, activation: halves height and width."""
    return nn.Sequential(
        Blur(pad=(2, 2)),
        EqualConv2d(in_channels, out_channels, 3, stride=2, padding=0),
        FusedLeakyReLU(out_channels),
    )
