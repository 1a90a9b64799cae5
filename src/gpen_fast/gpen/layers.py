"""The layers of StyleGAN2 as GPEN uses them, written to be read.

Every layer follows "Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020) with the
parameter names of yangxy/GPEN. All tensors are (B,C,H,W) unless a docstring says otherwise.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.2
GAIN = math.sqrt(2.0)
FIR = (1.0, 3.0, 3.0, 1.0)


def fir_kernel(gain: float = 1.0) -> Tensor:
    """The (4,4) low-pass FIR kernel [1,3,3,1] x [1,3,3,1], normalised to a sum of `gain`."""
    line = torch.tensor(FIR)
    kernel = torch.outer(line, line)
    return kernel * (gain / kernel.sum())


def leaky_relu(x: Tensor, bias: Tensor) -> Tensor:
    """Bias per channel, leaky ReLU, and the gain that keeps the variance."""
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return F.leaky_relu(x + bias.view(shape), LEAK) * GAIN


class PixelNorm(nn.Module):
    """Scales each (B,D) latent to unit mean square."""

    def forward(self, latent: Tensor) -> Tensor:
        return latent * torch.rsqrt(torch.mean(latent**2, dim=1, keepdim=True) + 1e-8)


class FusedLeakyReLU(nn.Module):
    """A learnt bias per channel in front of the leaky ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x, self.bias)


class Blur(nn.Module):
    """The FIR low-pass after an up-convolution or before a strided one."""

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
    """Doubles height and width: zeros between the samples, then the FIR low-pass."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", fir_kernel(gain=4.0))

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        weight = self.kernel.to(x.dtype).expand(channels, 1, -1, -1)
        return F.conv_transpose2d(x, weight, stride=2, padding=1, groups=channels)


class EqualConv2d(nn.Module):
    """Convolution with equalised learning rate: the weight is scaled where it is used."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, stride: int, padding: int
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.scale = 1 / math.sqrt(in_channels * kernel**2)
        self.stride = stride
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, stride=self.stride, padding=self.padding)


class EqualLinear(nn.Module):
    """Linear layer with equalised learning rate, (B,in) to (B,out), optionally activated."""

    def __init__(
        self, in_dim: int, out_dim: int, *, bias: float = 0.0, lr_mul: float = 1.0, activate: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_dim, in_dim) / lr_mul)
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
    """Convolution whose input channels are scaled by a style and whose output is demodulated.

    forward(x (B,in,H,W), latent (B,D)) -> (B,out,H,W), or (B,out,2H,2W) with `upsample`. One weight per
    sample, run as one grouped convolution: the published form, exact but not fast.
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
        self.weight = nn.Parameter(torch.randn(1, out_channels, in_channels, kernel, kernel))
        self.modulation = EqualLinear(style_dim, in_channels, bias=1.0)
        self.scale = 1 / math.sqrt(in_channels * kernel**2)
        self.padding = kernel // 2
        self.demodulate = demodulate
        self.blur = Blur(pad=(1, 1), gain=4.0) if upsample else None

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        weight = self._weights_per_sample(latent)
        x = x.reshape(1, batch * channels, height, width)
        if self.blur is None:
            out = F.conv2d(x, weight.flatten(0, 1), padding=self.padding, groups=batch)
            return out.view(batch, -1, height, width)
        weight = weight.transpose(1, 2).flatten(0, 1)
        out = F.conv_transpose2d(x, weight, stride=2, groups=batch)
        return self.blur(out.view(batch, -1, *out.shape[2:]))

    def _weights_per_sample(self, latent: Tensor) -> Tensor:
        """(B,out,in,k,k): scaled, modulated and, where asked for, demodulated."""
        style = self.modulation(latent)[:, None, :, None, None]
        weight = self.scale * self.weight * style
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.pow(2).sum(dim=(2, 3, 4), keepdim=True) + 1e-8)
        return weight
