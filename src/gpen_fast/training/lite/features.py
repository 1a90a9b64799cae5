"""Distances of features that need no download: one to train with, and another, independent one to measure with.

Trained networks that measure likeness (LPIPS) cannot be fetched here. Random weights rank distortions better than
pixels do and need neither file nor training, so `RandomFeatures` trains: its weights follow from a seed. What trains
must not measure, so `wavelet_distance` measures: oriented wavelets and their moduli, twice ("Invariant Scattering
Convolution Networks", Bruna and Mallat, 2013), which are fixed by their formulas.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpen_fast.device.threads import seeded

_WIDTHS = (24, 48, 64, 64)
_ORIENTATIONS, _SCALES, _SIDE = 6, 4, 13


class RandomFeatures(nn.Module):
    """A fixed network of random weights: features at a half to a sixteenth of the size, of unit length at each place.

    Args:
        seed: Decides the weights.
    """

    def __init__(self, seed: int = 11) -> None:
        super().__init__()
        generator, before = seeded(seed), 3
        for i, width in enumerate(_WIDTHS):
            weight = torch.randn(width, before, 3, 3, generator=generator)
            # Without a mean, a filter does not answer to plain areas.
            weight -= weight.mean((2, 3), keepdim=True) if i == 0 else 0
            self.register_buffer(f"weight{i}", weight / math.sqrt(before * 9 / 2))
            before = width

    def forward(self, faces: Tensor, dtype: torch.dtype) -> list[Tensor]:
        """Returns the features of (B,3,S,S) faces in [-1,1], each (B,C,H,W) float32."""
        x, out = faces.to(dtype), []
        for i in range(len(_WIDTHS)):
            weight = self.get_buffer(f"weight{i}").to(dtype)
            x = F.leaky_relu(F.conv2d(x, weight, stride=2, padding=1), 0.2)
            out.append(_unit(x.float()))
        return out

    def distance(self, restored: Tensor, wanted: Tensor, dtype: torch.dtype) -> Tensor:
        """Returns the mean squared distance of the features, averaged over the sizes.

        Args:
            restored: (B,3,S,S) in [-1,1], with its graph.
            wanted: (B,3,S,S) in [-1,1].
            dtype: The type of the convolutions.
        """
        with torch.no_grad():
            theirs = self(wanted, dtype)
        ours = self(restored, dtype)
        terms = [(one - other).square().sum(1).mean() for one, other in zip(ours, theirs, strict=True)]
        return torch.stack(terms).mean()


def _unit(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().sum(1, keepdim=True) + 1e-3)


def wavelet_distance(pictures: Tensor, originals: Tensor) -> Tensor:
    """Returns the distance of each picture from its original: of wavelet moduli, relative to their size.

    Args:
        pictures: (B,3,S,S) in [-1,1].
        originals: (B,3,S,S) in [-1,1].

    Returns:
        (B,) float32: 0 for equal pictures.
    """
    terms = []
    for ours, theirs in zip(_moduli(pictures), _moduli(originals), strict=True):
        # At each place, the difference as a part of the energy there; the constant is the noise of a good picture.
        size = (ours.square() + theirs.square()).sum(1) + 2e-3
        terms.append(((ours - theirs).square().sum(1) / size).flatten(1).mean(1))
    return torch.stack(terms).mean(0)


def _moduli(faces: Tensor) -> list[Tensor]:
    """Moduli at four scales, smoothed over a few pixels: first those of the picture, then those of these moduli."""
    x = (faces * faces.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)
    out = []
    for _ in range(_SCALES):
        first = _modulus(x)
        out.append(F.avg_pool2d(first, 4, 2))
        second = _modulus(F.avg_pool2d(first.flatten(0, 1)[:, None], 2))
        out.append(F.avg_pool2d(second.view(len(x), -1, *second.shape[2:]), 2))
        x = F.avg_pool2d(x, 2)
        if x.shape[-1] < 2 * _SIDE:
            break
    return out


def _modulus(x: Tensor) -> Tensor:
    """(B,1,H,W) to (B,6,H,W): the length of the even and the odd answer in each direction."""
    filters = _wavelets().to(x)
    both = F.conv2d(F.pad(x, (_SIDE // 2,) * 4, mode="replicate"), filters)
    even, odd = both.chunk(2, 1)
    return torch.sqrt(even.square() + odd.square() + 1e-8)


def _wavelets() -> Tensor:
    """(12,1,13,13): Gabor wavelets of a wavelength of 4 pixels without a mean, six even and six odd."""
    line = torch.arange(_SIDE) - _SIDE // 2.0
    y, x = torch.meshgrid(line, line, indexing="ij")
    bell = torch.exp(-(x**2 + y**2) / (2 * 2.0**2))
    out = []
    for wave in (torch.cos, torch.sin):
        for k in range(_ORIENTATIONS):
            angle = math.pi * k / _ORIENTATIONS
            plane = wave((math.cos(angle) * x + math.sin(angle) * y) * (math.pi / 2))
            plane = bell * (plane - (bell * plane).sum() / bell.sum())
            out.append(plane / bell.sum() * 2)
    return torch.stack(out)[:, None]
