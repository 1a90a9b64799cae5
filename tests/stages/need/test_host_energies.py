"""Energies on the host are those that torch gives on any device."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from clips import clip_pixels

from gpen_fast.stages.need.figures import _CELL, _QUIET, _energies, _planes
from gpen_fast.stages.need.host_energies import host_energies


@pytest.mark.parametrize(("height", "width"), [(256, 256), (97, 131), (48, 40), (20, 9), (7, 30), (3, 3)])
@pytest.mark.parametrize(("bands", "colour_bands"), [(4, 2), (3, 1)])
def test_they_are_those_of_torch(height: int, width: int, bands: int, colour_bands: int) -> None:
    pixels = clip_pixels("pan", 1, 360, noise=4.0)[0][60 : 60 + height, 200 : 200 + width].astype(np.float32)
    ours = host_energies(pixels.transpose(2, 0, 1), bands, colour_bands, _CELL, _QUIET)
    planes = _planes(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    expected = _energies(planes, bands, colour_bands)[0]
    assert ours.shape == expected.shape
    # `_energies` gives logarithms, of sums with a floor.
    assert np.allclose(np.log(ours + 0.05), expected.numpy(), atol=2e-4)
