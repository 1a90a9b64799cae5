"""The embedded proposer: a small fully convolutional network that marks where a picture may hold a face.

It runs over a picture at halving sizes, as "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks" (Zhang et al., 2016) does: at each size it knows faces of one octave. Each place of its output gives a logit
and one similarity: where the window of the nearest face lies, how large it is and how it is turned.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from gpen_fast.errors import CheckpointError

# Pixels from one place of the output to the next; the first place lies on the first pixel's centre.
STRIDE = 8
# Sides of the windows that the network knows at one size of the picture, pixels. A window's side is 1.25 times the
# side of its face's box.
LEAST_WINDOW, MOST_WINDOW = 20.0, 40.0
# Pixels that one unit of the output's offsets stands for, and that one unit of the window's direction stands for.
OFFSET_UNIT, SIDE_UNIT = 16.0, 28.0
# Values at each place: the logit, the offset to the right and down, the window's side times the cosine and the sine of
# its turn.
VALUES = 5
# Channels at a half, a quarter and an eighth of the picture's size.
PROPOSER_WIDTHS = (12, 24, 48)
# Convolutions at an eighth of the size. Each widens the receptive field by 16 pixels, to 73: a window and its border.
_DEPTH = 4
# Grey levels: the networks' mean colour becomes zero, which is the padding's value, and usual contrast becomes one.
_MIDDLE, _CONTRAST = 117.0, 60.0


class ProposerNet(nn.Module):
    """From (B,1,H,W) luma, 0..255, to (B,5,ceil(H/8),ceil(W/8)): see VALUES.

    Args:
        widths: Channels at a half, a quarter and an eighth of the picture's size.
        normalised: With the batch normalisations that training needs; `retina.compact.fold_normalisations` folds them
            into the convolutions.
    """

    def __init__(self, widths: tuple[int, ...] = PROPOSER_WIDTHS, *, normalised: bool = False) -> None:
        super().__init__()
        half, quarter, eighth = widths

        def layer(inner: int, outer: int, side: int, stride: int = 1) -> nn.Sequential:
            conv = nn.Conv2d(inner, outer, side, stride, side // 2, bias=not normalised)
            norm = nn.BatchNorm2d(outer) if normalised else nn.Identity()
            return nn.Sequential(conv, norm, nn.ReLU(inplace=True))

        self.stem = layer(1, half, 5, 2)
        self.quarter = nn.Sequential(layer(half, quarter, 3, 2), layer(quarter, quarter, 3))
        rest = [layer(eighth, eighth, 3) for _ in range(_DEPTH - 1)]
        self.eighth = nn.Sequential(layer(quarter, eighth, 3, 2), *rest)
        self.head = nn.Conv2d(eighth, VALUES, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B,1,H,W) -> (B,a,H/2,W/2) -> (B,b,H/4,W/4) -> (B,c,H/8,W/8) -> (B,5,H/8,W/8), sides rounded up."""
        out: Tensor = self.head(self.eighth(self.quarter(self.stem((x - _MIDDLE) / _CONTRAST))))
        return out


def proposer_widths(state: Mapping[str, Tensor]) -> tuple[int, ...]:
    """The widths of a network with these tensors. Raises KeyError for another network's."""
    return tuple(len(state[f"{name}.weight"]) for name in ("stem.0", "quarter.0.0", "eighth.0.0"))


def read_proposer(path: Path) -> ProposerNet:
    """Reads the network from a safetensors file; its widths are inferred from the tensors' shapes.

    Raises:
        CheckpointError: The file is absent, damaged or holds another network.
    """
    try:
        state = {name: value.float() for name, value in load_file(path).items()}
        network = ProposerNet(proposer_widths(state))
        network.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, RuntimeError) as cause:
        raise CheckpointError(f"{path}: cannot be read as a proposer network: {cause}") from cause
    # On a CPU oneDNN convolves NHWC a quarter faster at these widths.
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
