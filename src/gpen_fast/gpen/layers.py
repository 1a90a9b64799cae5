"""The layers of StyleGAN2 as GPEN uses them, written to be read.

Every layer follows "Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., CVPR 2020), with the
parameter names of yangxy/GPEN. All tensors are (B,C,H,W) unless a docstring says otherwise.

Equalised learning rate ("Progressive Growing of GANs", Karras et al., 2018): weights are stored with unit variance
and scaled by 1/sqrt(fan in) where they are used, so that Adam's steps suit every layer alike.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.2
"""Slope of every leaky ReLU below zero."""
GAIN = math.sqrt(2.0)
"""Factor after every leaky ReLU: it keeps the variance that the activation halves."""
FIR = (1.0, 3.0, 3.0, 1.0)
"""Taps of the low-pass filter, in each direction."""


def fir_kernel(gain: float = 1.0) -> Tensor:
    """The (4,4) low-pass kernel [1,3,3,1] x [1,3,3,1], normalised to a sum of `gain`."""
    # Plain numbers and no `outer`: on the meta device that imports sympy and the compiler, two seconds at each start.
    total = sum(FIR) ** 2
    return torch.tensor([[gain * one * other / total for one in FIR] for other in FIR])


def normal(*shape: int, over: float = 1.0) -> Tensor:
    """What `randn` draws, divided by `over`. On the meta device, unlike `randn`, it imports no compiler."""
    values = torch.empty(shape)
    return values if values.is_meta else values.normal_().div_(over)


def leaky_relu(x: Tensor, bias: Tensor) -> Tensor:
    """GAIN * leaky_relu(x + bias), with one bias for each channel.

    Args:
        x: (B,C) or (B,C,H,W).
        bias: (C,).
    """
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return F.leaky_relu(x + bias.view(shape), LEAK) * GAIN


class PixelNorm(nn.Module):
    """Scales each latent of (B,D) to unit mean square: z / sqrt(mean(z^2) + 1e-8)."""

    def forward(self, latent: Tensor) -> Tensor:
        return latent * torch.rsqrt(torch.mean(latent**2, dim=1, keepdim=True) + 1e-8)


class FusedLeakyReLU(nn.Module):
    """A learnt bias for each channel, then the leaky ReLU with its gain."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x, self.bias)


class Blur(nn.Module):
    """The FIR low-pass before a strided convolution or after an up-convolution.

    (B,C,H,W) to (B,C,H+p-3,W+p-3), where p is the sum of `pad`.

    Args:
        pad: Zeros before and after, in each direction.
        gain: Sum of the kernel; 4 after an up-convolution, where three of four samples are zeros.
    """

    kernel: Tensor

    def __init__(self, pad: tuple[int, int], gain: float = 1.0) -> None:
        super().__init__()
        self.pad = pad
        self.register_buffer("kernel", fir_kernel(gain))

    def forward(self, x: Tensor) -> Tensor:
        before, after = self.pad
        x = F.pad(x, (before, after, before, after))
        channels = x.shape[1]
        weight = self.kernel.to(x.dtype).expand(channels, 1, -1, -1)
        return F.conv2d(x, weight, groups=channels)


class Upsample(nn.Module):
    """(B,C,H,W) to (B,C,2H,2W): zeros between the samples, then the FIR low-pass."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", fir_kernel(gain=4.0))

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        weight = self.kernel.to(x.dtype).expand(channels, 1, -1, -1)
        return F.conv_transpose2d(x, weight, stride=2, padding=1, groups=channels)


class EqualConv2d(nn.Module):
    """A convolution without bias and with equalised learning rate.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel: Side of the kernel.
        stride: Step of the kernel.
        padding: Zeros on each side.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, stride: int, padding: int
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(out_channels, in_channels, kernel, kernel))
        self.scale = 1 / math.sqrt(in_channels * kernel**2)
        self.stride = stride
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, stride=self.stride, padding=self.padding)


class EqualLinear(nn.Module):
    """A linear layer with equalised learning rate: (B,in) to (B,out).

    Args:
        in_dim: Width of the input.
        out_dim: Width of the output.
        bias: What the bias starts as.
        lr_mul: The layer's learning rate over that of the network.
        activate: Whether the leaky ReLU with its gain follows.
    """

    def __init__(
        self, in_dim: int, out_dim: int, *, bias: float = 0.0, lr_mul: float = 1.0, activate: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(out_dim, in_dim, over=lr_mul))
        self.bias = nn.Parameter(torch.full((out_dim,), bias))
        self.scale = lr_mul / math.sqrt(in_dim)
        self.lr_mul = lr_mul
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight * self.scale, self.bias * self.lr_mul
        if self.activate:
            return leaky_relu(F.linear(x, weight), bias)
        return F.linear(x, weight, bias)


class ModulatedConv2d(nn.Module):
    """A convolution whose input channels are scaled by a style, and whose output is demodulated.

    x (B,in,H,W) and latent (B,D) to (B,out,H,W), or to (B,out,2H,2W) with `upsample`. With the style s of the latent:

        w'[o,i]  = s[i] * w[o,i]                                 modulation
        w''[o,i] = w'[o,i] / sqrt(sum over i and k of w'^2 + 1e-8)   demodulation: unit variance out for unit in

    Each sample has a weight of its own, and all run as one grouped convolution: the published form, exact but slow.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel: Side of the kernel.
        style_dim: Width of the latent.
        demodulate: Off in ToRGB, whose output is a picture and has no variance to keep.
        upsample: Doubles height and width by a transposed convolution and a blur.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        style_dim: int,
        *,
        demodulate: bool = True,
        upsample: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(1, out_channels, in_channels, kernel, kernel))
        self.modulation = EqualLinear(style_dim, in_channels, bias=1.0)
        self.scale = 1 / math.sqrt(in_channels * kernel**2)
        self.padding = kernel // 2
        self.demodulate = demodulate
        self.blur = Blur(pad=(1, 1), gain=4.0) if upsample else None

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        weight = self._weights_per_sample(latent)
        # (1,B*in,H,W): the samples become groups of channels.
        x = x.reshape(1, batch * channels, height, width)
        if self.blur is None:
            out = F.conv2d(x, weight.flatten(0, 1), padding=self.padding, groups=batch)
            return out.view(batch, -1, height, width)
        # A transposed convolution has its weight as (B*in,out,k,k), and gives (1,B*out,2H+1,2W+1).
        weight = weight.transpose(1, 2).flatten(0, 1)
        out = F.conv_transpose2d(x, weight, stride=2, groups=batch)
        return self.blur(out.view(batch, -1, *out.shape[2:]))

    def _weights_per_sample(self, latent: Tensor) -> Tensor:
        """(B,out,in,k,k): scaled, modulated and, with `demodulate`, demodulated."""
        style = self.modulation(latent)[:, None, :, None, None]
        weight = self.scale * self.weight * style
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.pow(2).sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
        return weight
