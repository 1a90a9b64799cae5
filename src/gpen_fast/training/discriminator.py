"""The StyleGAN2 discriminator, which also returns the features that feature matching compares.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), residual form, with the minibatch
standard deviation of "Progressive Growing of GANs" (Karras et al., 2018).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from gpen_fast.gpen.layers import Blur, EqualConv2d, EqualLinear, FusedLeakyReLU

# Channels, at most. StyleGAN2's discriminator has up to 512; training on CPU cores needs a smaller one.
_WIDEST = 128


class Halving(nn.Module):
    """A residual block that halves the size: (B,C,H,W) to (B,D,H/2,W/2)."""

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
        # (B,C,H,W) -> (B,C,H,W): 3x3 convolution and activation.
        out = self.same_act(self.same(x))
        # (B,C,H,W) -> (B,D,H/2,W/2): blur, 3x3 convolution of stride 2, activation.
        out = self.down_act(self.down(self.blur(out)))
        # (B,C,H,W) -> (B,D,H/2,W/2): blur and 1x1 convolution of stride 2. The sum is scaled to keep its variance.
        return (out + self.skip(self.skip_blur(x))) / math.sqrt(2)


class Discriminator(nn.Module):
    """Scores faces.

    Args:
        size: Side of the faces in pixels, a power of two.
        width: Channels at full size. They double at each halving, up to 128.
    """

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
        """Scores faces and returns its features.

        Args:
            pictures: (B,3,S,S) RGB in [-1,1].

        Returns:
            The scores (B,1), higher for real faces, and the features of every size from S/2 down to 4.
        """
        # (B,3,S,S) -> (B,width,S,S).
        x = self.first_act(self.first(pictures))
        # (B,width,S,S) -> (B,C,4,4), one halving at a time.
        features = []
        for halving in self.halvings:
            x = halving(x)
            features.append(x)
        # (B,C,4,4) -> (B,1,4,4): the batch's mean standard deviation, which shows a generator that repeats itself.
        spread = x.std(dim=0, correction=0).mean().expand(len(x), 1, *x.shape[2:])
        # (B,C+1,4,4) -> (B,C,4,4) -> (B,1).
        x = self.last_act(self.last(torch.cat([x, spread], dim=1)))
        return self.score(x.flatten(1)), features
