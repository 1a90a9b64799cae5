"""facexlib's RetinaFace with fewer and larger convolutions: the same function, for inference.

On small pictures the time goes into the number of calls. So each batch normalisation is folded into its convolution,
convolutions of one input run as one, and so do the three heads of each level.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Values of an anchor: box, class logits, five points. Two anchors at each position.
_VALUES = (4, 2, 10)
_ANCHORS = 2


class Compact(nn.Module):
    """RetinaFace from (B,3,H,W) RGB minus the mean colour to (B,N,16): each anchor's box, logits and points.

    Args:
        network: facexlib's network with its weights; its parts are changed in place and become this module's.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        parts = dict(fold_normalisations(network.eval()).named_children())
        self.body, self.fpn = parts["body"], parts["fpn"]
        self.contexts = nn.ModuleList(_Context(parts[f"ssh{level}"]) for level in (1, 2, 3))
        heads = zip(parts["BboxHead"], parts["ClassHead"], parts["LandmarkHead"], strict=True)  # type: ignore[call-overload]
        self.heads = nn.ModuleList(_by_anchor(_joined([head.conv1x1 for head in level])) for level in heads)
        first = next(layer for layer in self.body.modules() if isinstance(layer, nn.Conv2d))
        # Trained on BGR: with the first layer's input channels reversed it takes RGB, and no picture is copied for it.
        first.weight.data = first.weight.data.flip(1)

    def forward(self, x: Tensor) -> Tensor:
        """Anchors are ordered by level, row, column and side."""
        # (B,3,H,W) -> three levels (B,C,H/8,W/8), (B,C,H/16,W/16), (B,C,H/32,W/32)
        levels = self.fpn(list(self.body(x).values()))
        # Each level: (B,C,h,w) -> head (B,32,h,w) -> (B,h,w,32) -> (B,2hw,16)
        rows = [
            head(context(level)).permute(0, 2, 3, 1).reshape(len(x), -1, sum(_VALUES))
            for level, context, head in zip(levels, self.contexts, self.heads, strict=True)
        ]
        return torch.cat(rows, dim=1)


class _Context(nn.Module):
    """facexlib's SSH: 3x3, 5x5 and 7x7 surroundings from stacked 3x3 convolutions, of which two pairs run as one."""

    def __init__(self, ssh: nn.Module) -> None:
        super().__init__()
        parts = dict(ssh.named_children())
        three, five, five2, seven, seven2 = (
            parts[name][0]  # type: ignore[index]
            for name in ("conv3X3", "conv5X5_1", "conv5X5_2", "conv7X7_2", "conv7x7_3")
        )
        # In facexlib only the inner convolutions have a leaky ReLU. Here both of a pair pass through it: the outputs
        # then pass a ReLU, which gives the same with or without a leaky one before it.
        leaky = parts["conv5X5_1"][2]  # type: ignore[index]
        self.near = nn.Sequential(_joined([three, five]), leaky)
        self.far = nn.Sequential(_joined([five2, seven]), leaky)
        self.last = seven2
        self.sides = (three.out_channels, five.out_channels), (five2.out_channels, seven.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) to the same."""
        # (B,C,H,W) -> (B,C/2,H,W) of 3x3 surroundings, and (B,C/4,H,W) on the way to 5x5
        three, five = self.near(x).split(self.sides[0], dim=1)
        # -> (B,C/4,H,W) of 5x5 surroundings, and (B,C/4,H,W) on the way to 7x7
        five, seven = self.far(five).split(self.sides[1], dim=1)
        # -> (B,C,H,W)
        return torch.cat([three, five, self.last(seven)], dim=1).relu_()


def fold_normalisations(module: nn.Module) -> nn.Module:
    """Folds each batch normalisation into the convolution before it, in place, and returns the module."""
    layers = list(module.named_children())
    for (name, layer), (after, norm) in pairwise(layers):
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(layer, norm))
            setattr(module, after, nn.Identity())
    for _, layer in layers:
        fold_normalisations(layer)
    return module


def _joined(layers: Sequence[nn.Conv2d]) -> nn.Conv2d:
    """Convolutions of one input as one: their outputs, concatenated."""
    first = layers[0]
    made = nn.Conv2d(
        first.in_channels,
        sum(layer.out_channels for layer in layers),
        first.kernel_size,  # type: ignore[arg-type]
        padding=first.padding,  # type: ignore[arg-type]
    )
    made.weight.data = torch.cat([layer.weight.data for layer in layers])
    made.bias.data = torch.cat([layer.bias.data for layer in layers])  # type: ignore[union-attr]
    return made


def _by_anchor(head: nn.Conv2d) -> nn.Conv2d:
    """Reorders a level's head in place: all values of one anchor, then all of the other."""
    outputs = torch.arange(head.out_channels).split([_ANCHORS * count for count in _VALUES])
    order = torch.cat([part.view(_ANCHORS, -1) for part in outputs], dim=1).flatten()
    head.weight.data, head.bias.data = head.weight.data[order], head.bias.data[order]  # type: ignore[union-attr]
    return head
