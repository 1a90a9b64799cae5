"""What a face's pixels tell about their own quality, before and apart from any network.

Two views of the face are measured: its crop, which says how much of the network's resolution the source fills, and its
pixels in the picture, which say what lies above that resolution and whether it is detail, noise or compression.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.image.bands import band_pass, halved
from gpen_fast.image.colour import brightness, to_8bit_scale
from gpen_fast.image.warp import Matrix, inverse, scale_of
from gpen_fast.types import Frame

# Bands of the crop's brightness, bands of its colour, and the same of the face in the picture.
_CROP_BANDS, _CROP_COLOUR_BANDS, _PICTURE_BANDS, _PICTURE_COLOUR_BANDS = 4, 2, 3, 1
# Energies are measured in cells of this many pixels of their band; noise shows in the quietest tenth of the cells.
_CELL, _QUIET = 8, 0.1
# Added to an energy before its logarithm: the energy of rounding to 8 bits is 1/12.
_FLOOR = 0.05
# The part of a crop's side that is measured in the picture, and the most pixels a side: a face's middle says enough.
_MIDDLE, _MOST = 0.7, 384
# Side of a JPEG block, pixels.
_BLOCK = 8

COUNT = 2 * (_CROP_BANDS + _CROP_COLOUR_BANDS + _PICTURE_BANDS + _PICTURE_COLOUR_BANDS) + 2
"""Figures of a face."""


def figures(frame: Frame, matrices: Matrix, crops: Tensor) -> Tensor:
    """Measures the faces of one picture.

    Args:
        frame: The picture.
        matrices: (B,2,3) float64, picture to crop coordinates.
        crops: (B,3,S,S) uint8 or uint16.

    Returns:
        (B,COUNT) float32: logarithms of energies on the scale of 8 bits, of the strength of 8-pixel blocks, and of the
        crop's pixels for each of the picture's.
    """
    of_crops = _energies(to_8bit_scale(crops), _CROP_BANDS, _CROP_COLOUR_BANDS)
    rows = []
    for matrix in matrices:
        middle = to_8bit_scale(_middle(frame, matrix, crops.shape[-1]))[None].expand(-1, 3, -1, -1)
        scale = of_crops.new_full((1, 1), scale_of(matrix)).log2()
        energies = _energies(middle, _PICTURE_BANDS, _PICTURE_COLOUR_BANDS)
        rows.append(torch.cat([energies, _blockiness(middle), scale], dim=1))
    return torch.cat([of_crops, torch.cat(rows)], dim=1)


def _middle(frame: Frame, matrix: Matrix, size: int) -> Tensor:
    """The face's middle in the picture's own pixels: (C,h,w), at least two cells a side."""
    back = inverse(matrix)
    x, y = back[:, :2] @ ((size - 1) / 2, (size - 1) / 2) + back[:, 2]
    side = max(4 * _CELL, min(_MOST, round(_MIDDLE * size / scale_of(matrix))))
    columns, rows = _span(float(x), side, frame.width), _span(float(y), side, frame.height)
    return frame.pixels[:, rows, columns]


def _span(middle: float, side: int, length: int) -> slice:
    """`side` pixels around `middle`, moved into 0..length; all of it where that is shorter."""
    start = max(0, min(round(middle - side / 2), length - side))
    return slice(start, min(length, start + side))


def _energies(pixels: Tensor, bands: int, colour_bands: int) -> Tensor:
    """(B,3,H,W) to (B,2*(bands+colour_bands)): for each band the energy's mean and that of its quiet cells."""
    bright = brightness(pixels)
    colour = pixels[:, ::2] - bright
    found = [*_of_bands(bright, bands), *_of_bands(colour, colour_bands)]
    return torch.stack(found, dim=1)


def _of_bands(channels: Tensor, bands: int) -> list[Tensor]:
    """(B,C,H,W) to 2*bands tensors of (B,); a band that the picture is too small for repeats the one before."""
    found: list[Tensor] = []
    for band in band_pass(halved(channels, bands)):
        cells = F.avg_pool2d(band.square().mean(dim=1, keepdim=True), min(_CELL, *band.shape[2:])).flatten(1)
        quiet = cells.kthvalue(1 + int(_QUIET * (cells.shape[1] - 1)), dim=1).values
        found += [(cells.mean(dim=1) + _FLOOR).log(), (quiet + _FLOOR).log()]
    if not found:
        found = [channels.new_zeros(len(channels))] * 2
    while len(found) < 2 * bands:
        found += found[-2:]
    return found


def _blockiness(pixels: Tensor) -> Tensor:
    """(1,3,H,W) to (1,1): logarithm of how far the strongest of 8 phases of pixel steps is above the median phase."""
    green = pixels[0, 1]
    each = [_phases(green), _phases(green.T)]
    return torch.stack(each).mean().view(1, 1)


def _phases(channel: Tensor) -> Tensor:
    """The figure for steps between columns: a scalar."""
    steps = (channel[:, 1:] - channel[:, :-1]).abs()
    # A step at a block's edge is larger than the steps beside it; a real edge is as often inside a block.
    excess = (steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2).mean(dim=0)
    whole = excess[: len(excess) // _BLOCK * _BLOCK]
    if not len(whole):
        return channel.new_zeros(())
    phases = whole.view(-1, _BLOCK).mean(dim=0)
    return ((phases.amax() - phases.median()) / (steps.mean() + _FLOOR) + _FLOOR).log()
