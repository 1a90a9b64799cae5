"""What the wide tensor is made of: the arguments and the torch reference that two kernels share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.gpen.folded.layers import per_channel
from gpen_fast.gpen.layers import LEAK

NHWC = torch.channels_last


@dataclass(frozen=True, eq=False)
class EpilogueParams:
    """How a styled convolution ends: biases of its own half and of the encoder's, each (C,) float32.

    share: factor of the encoder's feature. feature_bias: what the encoder's own convolution still lacks.
    """

    bias: Tensor
    feature_bias: Tensor
    skip_scale: float
    skip_bias: Tensor


def activated(x: Tensor, bias: Tensor) -> Tensor:
    """(B,C,H,W) of any float dtype with its (C,) bias and the leaky ReLU, float32."""
    return F.leaky_relu(x.float() + bias[:, None, None], LEAK)


def wide_by_torch(own: Tensor, feature: Tensor, scale: Tensor, epilogue: EpilogueParams) -> Tensor:
    """(B,2C,H,W) float32: `own` scaled, and the encoder's feature, each with its bias and the leaky ReLU."""
    first = activated(own * per_channel(scale), epilogue.bias)
    second = activated(epilogue.skip_scale * activated(feature, epilogue.feature_bias), epilogue.skip_bias)
    return torch.cat([first, second], dim=1)


def empty_nhwc(like: Tensor, channels: int, height: int, width: int) -> Tensor:
    """An uninitialised (B,C,H,W) in memory format channels_last."""
    shape = (len(like), channels, height, width)
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=NHWC)
