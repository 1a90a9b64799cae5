"""What a face's pixels tell about their own quality, before and apart from any network.

Two views of the face are measured: its crop, which says how much of the network's resolution the source fills, and its
pixels in the picture, which say what lies above that resolution and whether it is detail, noise or compression.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.image.bands import band_pass, halved
from gpen_fast.image.colour import brightness, to_8bit_scale
from gpen_fast.image.warp import Matrix, inverse, scale_of
from gpen_fast.stages.need.host_energies import host_energies
from gpen_fast.types import Frame

# Bands of the crop's brightness and of its colour, and the same of the face in the picture.
_CROP_BANDS, _PICTURE_BANDS = (4, 2), (3, 1)
# Energies are averaged over cells of this many pixels a side; noise shows in the quietest tenth of the cells.
_CELL, _QUIET = 8, 0.1
# Added to an energy before its logarithm: the energy of rounding to 8 bits is 1/12.
_FLOOR = 0.05
# The part of a crop's side that is measured in the picture, and the fewest and most pixels a side of it.
_MIDDLE, _FEWEST, _MOST = 0.7, 32, 384
# A side has one of so many values between two powers of two: faces of one picture often share one, and are one batch.
_STEPS = 4
# Side of a JPEG block, pixels.
_BLOCK = 8

COUNT = 2 * (sum(_CROP_BANDS) + sum(_PICTURE_BANDS)) + 2
"""Figures of a face."""


def figures(frame: Frame, matrices: Matrix, crops: Tensor) -> Tensor:
    """Measures the faces of one picture.

    Args:
        frame: The picture.
        matrices: (B,2,3) float64, picture to crop coordinates.
        crops: (B,3,S,S) uint8 or uint16, or float32 on the scale of 8 bits.

    Returns:
        (B,COUNT) float32: logarithms of energies on the scale of 8 bits, of the strength of 8-pixel blocks, and of the
        crop's pixels for each of the picture's.
    """
    of_crops = _views_energies(to_8bit_scale(crops), *_CROP_BANDS)
    of_picture = _of_picture(frame, matrices, crops.shape[-1])
    scales = torch.tensor([scale_of(matrix) for matrix in matrices], dtype=torch.float32)
    return torch.cat([of_crops, of_picture, scales.log2().to(crops.device)[:, None]], dim=1)


def _of_picture(frame: Frame, matrices: Matrix, size: int) -> Tensor:
    """(B,...): energies and blocks of the faces' middles in the picture's own pixels; those of one side together."""
    sides = [_side(size / scale_of(matrix)) for matrix in matrices]
    order, parts = [], []
    for side in sorted(set(sides)):
        places = [place for place, own in enumerate(sides) if own == side]
        middles = torch.stack([_middle(frame, matrices[place], size, side) for place in places])
        middles = to_8bit_scale(middles)
        blocks = _blockiness(_brightness_of(middles))
        parts.append(torch.cat([_views_energies(middles, *_PICTURE_BANDS), blocks], dim=1))
        order += places
    rows = torch.cat(parts)
    return rows if len(parts) == 1 else rows[np.argsort(order)]


def _side(pixels: float) -> int:
    """The side of the square that is measured of a face of `pixels` pixels a side: a multiple of 8."""
    wanted = max(_FEWEST, min(_MOST, int(_MIDDLE * pixels)))
    step = max(_BLOCK, (1 << (wanted.bit_length() - 1)) // _STEPS)
    return wanted // step * step


def _middle(frame: Frame, matrix: Matrix, size: int, side: int) -> Tensor:
    """The face's middle in the picture's own pixels: (C,h,w)."""
    back = inverse(matrix)
    x, y = back[:, :2] @ ((size - 1) / 2, (size - 1) / 2) + back[:, 2]
    columns, rows = _span(float(x), side, frame.width), _span(float(y), side, frame.height)
    return frame.pixels[:, rows, columns]


def _span(middle: float, side: int, length: int) -> slice:
    """`side` pixels around `middle`, moved into 0..length; all of it where that is shorter."""
    start = max(0, min(round(middle - side / 2), length - side))
    return slice(start, min(length, start + side))


def _brightness_of(pixels: Tensor) -> Tensor:
    """(B,1|3,H,W) to (B,H,W)."""
    return (brightness(pixels) if pixels.shape[1] == 3 else pixels)[:, 0]


def _views_energies(pixels: Tensor, bands: int, colour_bands: int) -> Tensor:
    """(B,1|3,H,W) float32 to (B,2*(bands+colour_bands)): what `_energies` gives of its planes."""
    if pixels.device.type != "cpu" or pixels.shape[1] == 1:
        return _energies(_planes(pixels), bands, colour_bands)
    each = [host_energies(view, bands, colour_bands, _CELL, _QUIET) for view in pixels.numpy()]
    return torch.from_numpy(np.stack(each)).add_(_FLOOR).log_()


def _planes(pixels: Tensor) -> Tensor:
    """(B,1|3,H,W) RGB to (B,3,H,W): brightness, red and blue less brightness."""
    if pixels.shape[1] == 1:
        return F.pad(pixels, (0, 0, 0, 0, 0, 2))
    planes = torch.empty_like(pixels)
    planes[:, :1] = brightness(pixels)
    torch.sub(pixels[:, ::2], planes[:, :1], out=planes[:, 1:])
    return planes


def _energies(planes: Tensor, bands: int, colour_bands: int) -> Tensor:
    """(B,3,H,W) to (B,2*(bands+colour_bands)): logarithms of each band's mean energy and of that of its quiet cells."""
    found = [*_of_bands(planes[:, :1], bands), *_of_bands(planes[:, 1:], colour_bands)]
    return torch.stack(found, dim=1).add_(_FLOOR).log_()


def _of_bands(channels: Tensor, bands: int) -> list[Tensor]:
    """(B,C,H,W) to 2*bands tensors of (B,); a band that the picture is too small for repeats the one before."""
    found: list[Tensor] = []
    for band in band_pass(halved(channels, bands)):
        cells = F.avg_pool2d(band.square_(), min(_CELL, *band.shape[2:])).mean(dim=1).flatten(1)
        quiet = cells.kthvalue(1 + int(_QUIET * (cells.shape[1] - 1)), dim=1).values
        found += [cells.mean(dim=1), quiet]
    found = found or [channels.new_zeros(len(channels))] * 2
    return found + found[-2:] * (bands - len(found) // 2)


def _blockiness(bright: Tensor) -> Tensor:
    """(B,H,W) to (B,1): logarithm of how far the strongest of 8 phases of pixel steps is above the median phase."""
    return (_phases(bright) + _phases(bright.transpose(1, 2)))[:, None] / 2


def _phases(bright: Tensor) -> Tensor:
    """The figure for steps between columns: (B,)."""
    steps = (bright[:, :, 1:] - bright[:, :, :-1]).abs_().mean(dim=1)
    # A step at a block's edge is larger than the steps beside it; a real edge is as often inside a block.
    excess = steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2
    whole = excess[:, : excess.shape[1] // _BLOCK * _BLOCK]
    if not whole.shape[1]:
        return bright.new_zeros(len(bright))
    phases = whole.view(len(bright), -1, _BLOCK).mean(dim=1)
    return ((phases.amax(dim=1) - phases.median(dim=1).values) / (steps.mean(dim=1) + _FLOOR) + _FLOOR).log()
