"""How much of the difference between two frames of a face is one change of the whole: moved, turned, grown, sharper.

Noise of each frame is to be averaged; such a change is not: the average would lag behind it, and blur a face that comes
nearer.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Added to the energies: a difference below a fiftieth of a grey level is none.
_LEAST = 4e-4


def trend_share(before: Tensor, difference: Tensor, weight: Tensor) -> float:
    """The share, 0..1, of a difference's energy that a change of the whole explains.

    A least-squares fit of the difference by what moving `before` along both axes, growing it, turning it and blurring
    it would change.

    Args:
        before: (1,1,B,B) brightness, smoothed, so that its own noise does not count as detail.
        difference: (1,1,B,B) what the next frame shows beyond it.
        weight: (1,1,B,B) in 0..1: what is compared.
    """
    terms = torch.cat([_terms(before), difference])[:, 0] * weight[0]
    rows = terms.flatten(1)
    products = (rows @ rows.T / rows.shape[1]).cpu().double()
    among, along, energy = products[:-1, :-1], products[:-1, -1], float(products[-1, -1])
    among = among + torch.diag(_LEAST + 1e-3 * among.diagonal())
    explained = float(along @ torch.linalg.solve(among, along))
    return min(1.0, max(0.0, explained / (energy + _LEAST)))


def _terms(pixels: Tensor) -> Tensor:
    """(5,1,B,B): the change of (1,1,B,B) pixels by moving right and down, growing, turning and blurring."""
    around = F.pad(pixels, (1, 1, 1, 1), mode="replicate")
    left, right = around[..., 1:-1, :-2], around[..., 1:-1, 2:]
    above, below = around[..., :-2, 1:-1], around[..., 2:, 1:-1]
    across, down = (right - left) / 2, (below - above) / 2
    place = torch.linspace(-1, 1, pixels.shape[-1], device=pixels.device)
    x, y = place[None, :], place[:, None]
    blurred = left + right + above + below - 4 * pixels
    return torch.cat([across, down, across * x + down * y, down * x - across * y, blurred])
