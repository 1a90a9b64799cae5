"""The StyleGAN2 discriminator, which also gives the features that are matched.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), residual form, with the minibatch
standard deviation of "Progressive Growing of GANs" (Karras et al., 2018).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from gpen_fast.gpen.layers import Blur, EqualConv2d, EqualLinear, FusedLeakyReLU

_WIDEST = 128


class Halving(nn.Module):
    """(B,C,H,W) to (B,D,H/2,W/2), with a skip."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.same = EqualConv2d(in_channels, in_channels, 3, stride=1, padding=1)
        self.same_act = FusedLeakyReLU(in_channels)
        self.blur = Blur(pad=(2, 2))
        self.down = EqualConv2d(in_channels, out_channels, 3, stride=2, padding=0)
        self.down_act = FusedLeakyReLU(out_channels)
        self.skip_blur = Blur(pad=(1, 1))
        self.skip = EqualConv2d(in_channels, out_channels, 1, stride=2, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        out = self.down_act(self.down(self.blur(self.same_act(self.same(x)))))
        return (out + self.skip(self.skip_blur(x))) / math.sqrt(2)


class Discriminator(nn.Module):
    """(B,3,S,S) RGB in [-1,1] to (B,1) scores and the features of every size from S/2 down to 4."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        sides = [size >> i for i in range(int(math.log2(size)) - 1)]
        widths = [min(width << i, _WIDEST) for i in range(len(sides))]
        self.first = EqualConv2d(3, width, 1, stride=1, padding=0)
        self.first_act = FusedLeakyReLU(width)
        self.halvings = nn.ModuleList([Halving(above, below) for above, below in pairwise(widths)])
        self.last = EqualConv2d(widths[-1] + 1, widths[-1], 3, stride=1, padding=1)
        self.last_act = FusedLeakyReLU(widths[-1])
        self.score = nn.Sequential(
            EqualLinear(widths[-1] * 16, widths[-1], activate=True), EqualLinear(widths[-1], 1)
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = self.first_act(self.first(pictures))
        features = []
        for halving in self.halvings:
            x = halving(x)
            features.append(x)
        spread = x.std(dim=0, correction=0).mean().expand(len(x), 1, *x.shape[2:])
        x = self.last_act(self.last(torch.cat([x, spread], dim=1)))
        return self.score(x.flatten(1)), features
