"""The embedded network: five landmarks and face or not, in one small window of a picture.

The window is a square that a similarity cuts out of the picture. Landmarks are the means of five heat maps
("Integral Human Pose Regression", Sun et al., 2018), which is nearer to the point than regressing coordinates is
in a network of this size.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from gpen_fast.errors import CheckpointError

# The window's side, pixels, and where the landmarks of a frontal face lie in it, 0..1 along its sides: FFHQ's
# template from the forehead to below the chin.
SIDE = 64
TEMPLATE = np.array(
    [[0.3498, 0.3702], [0.6502, 0.3708], [0.5017, 0.5463], [0.3696, 0.6832], [0.6362, 0.6826]],
    dtype=np.float64,
)
WIDTHS = (12, 32, 64, 96)
_HIDDEN = 16
# A window without contrast is no face: nothing is divided by less than this many grey levels.
_FLATTEST = 4.0


class LandmarkNet(nn.Module):
    """From (B,1,64,64) luma, 0..255, to points (B,5,2), 0..1 along the window's sides, and logits (B,) of a face.

    widths: channels at 32, 16, 8 and 4 pixels. normalised: with the batch normalisations that training needs, which
    `stages.detect._compact.folded` takes into the convolutions.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, *, normalised: bool = False) -> None:
        super().__init__()
        a, b, c, d = widths

        def layer(inner: int, outer: int, side: int, stride: int = 1) -> nn.Sequential:
            conv = nn.Conv2d(inner, outer, side, stride, side // 2, bias=not normalised)
            norm = nn.BatchNorm2d(outer) if normalised else nn.Identity()
            return nn.Sequential(conv, norm, nn.ReLU(inplace=True))

        self.stem = layer(1, a, 5, 2)
        self.at16 = nn.Sequential(layer(a, b, 3, 2), layer(b, b, 3))
        self.at8 = nn.Sequential(layer(b, c, 3, 2), layer(c, c, 3))
        self.at4 = nn.Sequential(layer(c, d, 3, 2), layer(d, d, 3))
        self.from4, self.from8 = nn.Conv2d(d, b, 1), nn.Conv2d(c, b, 1)
        self.joined = layer(b, b, 3)
        self.heat = nn.Conv2d(b, len(TEMPLATE), 1)
        self.hidden = nn.Linear(d * 16, _HIDDEN)
        self.face = nn.Linear(_HIDDEN, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Any contrast: each window is brought to mean 0 and deviation 1."""
        middle, spread = x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True)
        at16 = self.at16(self.stem((x - middle) / spread.clamp_min(_FLATTEST)))
        at8 = self.at8(at16)
        at4 = self.at4(at8)
        coarse = self.from8(at8) + F.interpolate(self.from4(at4), scale_factor=2.0)
        heat = self.heat(self.joined(at16 + F.interpolate(coarse, scale_factor=2.0)))
        logits = self.face(F.relu(self.hidden(at4.flatten(1))))[:, 0]
        return _means(heat), logits


def _means(heat: Tensor) -> Tensor:
    """(B,N,H,W) maps to the (B,N,2) means of their softmax, 0..1 along the sides."""
    height, width = heat.shape[2:]
    shares = heat.flatten(2).softmax(dim=2).view_as(heat)
    across = (torch.arange(width, device=heat.device) + 0.5) / width
    down = (torch.arange(height, device=heat.device) + 0.5) / height
    return torch.stack([(shares.sum(2) * across).sum(2), (shares.sum(3) * down).sum(2)], dim=2)


def widths_of(state: Mapping[str, Tensor]) -> tuple[int, ...]:
    """The channels at 32, 16, 8 and 4 pixels of a network with these tensors. Raises KeyError for another's."""
    return tuple(len(state[f"{name}.weight"]) for name in ("stem.0", "at16.0.0", "at8.0.0", "at4.0.0"))


def read_net(path: Path) -> LandmarkNet:
    """The network of a published file, its widths from the tensors' shapes. Raises CheckpointError."""
    try:
        state = {name: value.float() for name, value in load_file(path).items()}
        network = LandmarkNet(widths_of(state))
        network.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, RuntimeError) as cause:
        raise CheckpointError(f"{path}: cannot be read as a landmark network: {cause}") from cause
    return network.eval().requires_grad_(False)
