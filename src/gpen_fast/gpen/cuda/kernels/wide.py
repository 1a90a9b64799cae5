"""The wide tensor, which holds a styled convolution's half and the skip half: what two kernels and references share."""

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
    """What is applied to a styled convolution's output and to the encoder's feature beside it. All (C,) float32."""

    bias: Tensor
    """Bias of the convolution's half."""
    feature_bias: Tensor
    """Bias that the output of the encoder's convolution still lacks."""
    skip_scale: float
    """Learnt factor of the encoder's feature."""
    skip_bias: Tensor
    """Bias of the skip half."""


def activate(x: Tensor, bias: Tensor) -> Tensor:
    """leaky_relu(x + bias): (B,C,H,W) of any float dtype and (C,) to (B,C,H,W) float32."""
    return F.leaky_relu(x.float() + bias[:, None, None], LEAK)


def wide_by_torch(own: Tensor, feature: Tensor, demodulation: Tensor, epilogue: EpilogueParams) -> Tensor:
    """Both halves of a styled convolution's output.

    Args:
        own: (B,C,H,W), the convolution's output, blurred where it was an up-convolution.
        feature: (B,C,H,W), the output of the encoder's convolution.
        demodulation: (B,C) float32.
        epilogue: Biases and the skip scale.

    Returns:
        (B,2C,H,W) float32: leaky(demodulation * own + bias), then
        leaky(skip_scale * leaky(feature + feature_bias) + skip_bias).
    """
    first = activate(own * per_channel(demodulation), epilogue.bias)
    second = activate(epilogue.skip_scale * activate(feature, epilogue.feature_bias), epilogue.skip_bias)
    return torch.cat([first, second], dim=1)


def empty_nhwc(like: Tensor, channels: int, height: int, width: int) -> Tensor:
    """An uninitialised (B,channels,height,width) tensor, NHWC, with the batch, dtype and device of `like`."""
    shape = (len(like), channels, height, width)
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=NHWC)
