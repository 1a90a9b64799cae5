"""facexlib's RetinaFace with fewer and larger convolutions: the same function, for inference.

On small pictures the time goes into the number of calls. So normalisations are folded into their convolutions,
convolutions of one input are done as one, and so are the three heads of each level.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Values of an anchor: box, class logits, five points; two anchors a place.
_VALUES = (4, 2, 10)
_ANCHORS = 2


class Compact(nn.Module):
    """From (B,3,H,W) RGB around the mean colour to (B,N,16): each anchor's box, logits and points."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        parts = dict(folded(network.eval()).named_children())
        self.body, self.fpn = parts["body"], parts["fpn"]
        self.contexts = nn.ModuleList(_Context(parts[f"ssh{level}"]) for level in (1, 2, 3))
        heads = zip(parts["BboxHead"], parts["ClassHead"], parts["LandmarkHead"], strict=True)  # type: ignore[call-overload]
        self.heads = nn.ModuleList(_by_anchor(_joined([head.conv1x1 for head in level])) for level in heads)
        first = next(layer for layer in self.body.modules() if isinstance(layer, nn.Conv2d))
        first.weight.data = first.weight.data.flip(1)  # trained on BGR

    def forward(self, x: Tensor) -> Tensor:
        """Anchors lie by level, row, column and side."""
        levels = self.fpn(list(self.body(x).values()))
        rows = [
            head(context(level)).permute(0, 2, 3, 1).reshape(len(x), -1, sum(_VALUES))
            for level, context, head in zip(levels, self.contexts, self.heads, strict=True)
        ]
        return torch.cat(rows, dim=1)


class _Context(nn.Module):
    """facexlib's SSH: 3x3, 5x5 and 7x7 surroundings out of 3x3 convolutions, the first two pairs as one each."""

    def __init__(self, ssh: nn.Module) -> None:
        super().__init__()
        parts = dict(ssh.named_children())
        three, five, five2, seven, seven2 = (
            parts[name][0]  # type: ignore[index]
            for name in ("conv3X3", "conv5X5_1", "conv5X5_2", "conv7X7_2", "conv7x7_3")
        )
        # Through the leaky ReLU all of them: what only the ReLU at the end is for comes out of both the same.
        leaky = parts["conv5X5_1"][2]  # type: ignore[index]
        self.near = nn.Sequential(_joined([three, five]), leaky)
        self.far = nn.Sequential(_joined([five2, seven]), leaky)
        self.last = seven2
        self.sides = (three.out_channels, five.out_channels), (five2.out_channels, seven.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B,C,H,W) to the same."""
        three, five = self.near(x).split(self.sides[0], dim=1)
        five, seven = self.far(five).split(self.sides[1], dim=1)
        return torch.cat([three, five, self.last(seven)], dim=1).relu_()


def folded(module: nn.Module) -> nn.Module:
    """Each normalisation within the convolution before it, in place."""
    layers = list(module.named_children())
    for (name, layer), (after, norm) in pairwise(layers):
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(layer, norm))
            setattr(module, after, nn.Identity())
    for _, layer in layers:
        folded(layer)
    return module


def _joined(layers: Sequence[nn.Conv2d]) -> nn.Conv2d:
    """Convolutions of one input as one, their outputs one after the other."""
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
    """A level's head with its outputs in another order: one anchor's values after the other's, in place."""
    outputs = torch.arange(head.out_channels).split([_ANCHORS * count for count in _VALUES])
    order = torch.cat([part.view(_ANCHORS, -1) for part in outputs], dim=1).flatten()
    head.weight.data, head.bias.data = head.weight.data[order], head.bias.data[order]  # type: ignore[union-attr]
    return head
