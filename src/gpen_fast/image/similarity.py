"""The similarity between two sets of points: for aligning faces, and for windows around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def similarities(points: Points, target: Points) -> NDArray[np.float64]:
    """Least-squares similarities (rotation, one scale, shift) from (B,N,2) points to (N,2) target: (B,2,3).

    The closed form in two dimensions of "Least-squares estimation of transformation parameters between two
    point patterns" (Umeyama, 1991), without reflection.
    """
    middle, goal = points.mean(axis=1, keepdims=True), target.mean(axis=0)
    p, q = points - middle, target - goal
    norm = (p**2).sum(axis=(1, 2))
    c = (p * q).sum(axis=(1, 2)) / norm
    s = (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]).sum(axis=1) / norm
    turn = np.stack([np.stack([c, -s], axis=-1), np.stack([s, c], axis=-1)], axis=1)
    shift = goal - (turn @ middle.transpose(0, 2, 1))[..., 0]
    return np.concatenate([turn, shift[..., None]], axis=2)


def moved(matrices: NDArray[np.float64], points: Points) -> Points:
    """(B,N,2) points under (B,2,3) affine maps; either B may be 1."""
    return points @ matrices[:, :, :2].transpose(0, 2, 1) + matrices[:, None, :, 2]


def inverses(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B,2,3) similarities undone: (B,2,3)."""
    turn = np.linalg.inv(matrices[:, :, :2])
    return np.concatenate([turn, -turn @ matrices[:, :, 2:]], axis=2)
