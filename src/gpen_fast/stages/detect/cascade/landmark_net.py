"""The embedded network: five landmarks and a score in one small window of a picture.

The window is a square that a similarity cuts out of the picture. Landmarks are the means of five heat maps ("Integral
Human Pose Regression", Sun et al., 2018): in a network of this size that is more accurate than regressing coordinates.
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

from gpen_fast.errors import CheckpointError, first_line

# The window's side, pixels.
SIDE = 64
# The landmarks of a frontal face in its window, 0..1 along the window's sides: FFHQ's template, from the forehead to
# below the chin.
TEMPLATE = np.array(
    [[0.3498, 0.3702], [0.6502, 0.3708], [0.5017, 0.5463], [0.3696, 0.6832], [0.6362, 0.6826]],
    dtype=np.float64,
)
# Channels at 32, 16, 8 and 4 pixels.
WIDTHS = (12, 32, 64, 96)
_HIDDEN = 16
# Grey levels. The contrast that a window is divided by is at least this: a window with less holds no face.
_FLATTEST = 4.0


class LandmarkNet(nn.Module):
    """From (B,1,64,64) luma, 0..255, to points (B,5,2), 0..1 along the window's sides, and logits (B,) of a face.

    Args:
        widths: Channels at 32, 16, 8 and 4 pixels.
        normalised: With the batch normalisations that training needs; `retina.compact.fold_normalisations` folds them
            into the convolutions.
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
        """Each window is normalised to mean 0 and deviation 1, so that its contrast has no effect."""
        middle, spread = x.mean((2, 3), keepdim=True), x.std((2, 3), keepdim=True)
        # (B,1,64,64) -> (B,a,32,32) -> (B,b,16,16)
        at16 = self.at16(self.stem((x - middle) / spread.clamp_min(_FLATTEST)))
        # -> (B,c,8,8) -> (B,d,4,4)
        at8 = self.at8(at16)
        at4 = self.at4(at8)
        # The coarse features are added to the finer ones: (B,d,4,4) -> (B,b,8,8) -> (B,b,16,16) -> maps (B,5,16,16)
        coarse = self.from8(at8) + F.interpolate(self.from4(at4), scale_factor=2.0)
        heat = self.heat(self.joined(at16 + F.interpolate(coarse, scale_factor=2.0)))
        # (B,d,4,4) -> (B,16) -> (B,)
        logits = self.face(F.relu(self.hidden(at4.flatten(1))))[:, 0]
        return _means(heat), logits


def _means(heat: Tensor) -> Tensor:
    """(B,N,H,W) maps to (B,N,2): the means of their softmax, 0..1 along the sides."""
    height, width = heat.shape[2:]
    shares = heat.flatten(2).softmax(dim=2).view_as(heat)
    across = (torch.arange(width, device=heat.device) + 0.5) / width
    down = (torch.arange(height, device=heat.device) + 0.5) / height
    return torch.stack([(shares.sum(2) * across).sum(2), (shares.sum(3) * down).sum(2)], dim=2)


def widths_of(state: Mapping[str, Tensor]) -> tuple[int, ...]:
    """The channels at 32, 16, 8 and 4 pixels of a network with these tensors. Raises KeyError for another network's."""
    return tuple(len(state[f"{name}.weight"]) for name in ("stem.0", "at16.0.0", "at8.0.0", "at4.0.0"))


def read_net(path: Path) -> LandmarkNet:
    """Reads the network from a safetensors file; its widths are inferred from the tensors' shapes.

    Raises:
        CheckpointError: The file is absent, damaged or holds another network.
    """
    try:
        state = {name: value.float() for name, value in load_file(path).items()}
        network = LandmarkNet(widths_of(state))
        network.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, RuntimeError) as cause:
        raise CheckpointError(f"{path}: cannot be read as a landmark network: {first_line(cause)}") from cause
    return network.eval().requires_grad_(False)
