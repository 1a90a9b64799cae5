"""Similarity transforms between point sets: for aligning faces, and for the windows around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def similarities(points: Points, target: Points) -> NDArray[np.float64]:
    """Least-squares similarities (rotation, one scale, translation; never a reflection) onto a target.

    The closed form in two dimensions of "Least-squares estimation of transformation parameters between two point
    patterns" (Umeyama, 1991).

    Args:
        points: (B,N,2) float64, at least two different points in each set.
        target: (N,2) float64.

    Returns:
        (B,2,3) float64 matrices that map `points` to `target`.
    """
    middle, goal = points.mean(axis=1, keepdims=True), target.mean(axis=0)
    p, q = points - middle, target - goal
    norm = (p**2).sum(axis=(1, 2))
    # Scale times cosine and scale times sine of the rotation, (B,) each.
    c = (p * q).sum(axis=(1, 2)) / norm
    s = (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]).sum(axis=1) / norm
    turn = np.stack([np.stack([c, -s], axis=-1), np.stack([s, c], axis=-1)], axis=1)
    shift = goal - (turn @ middle.transpose(0, 2, 1))[..., 0]
    return np.concatenate([turn, shift[..., None]], axis=2)


def moved(matrices: NDArray[np.float64], points: Points) -> Points:
    """Applies (B,2,3) affine maps to (B,N,2) points; either B may be 1."""
    return points @ matrices[:, :, :2].transpose(0, 2, 1) + matrices[:, None, :, 2]


def inverses(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverts (B,2,3) affine maps: (B,2,3)."""
    turn = np.linalg.inv(matrices[:, :, :2])
    return np.concatenate([turn, -turn @ matrices[:, :, 2:]], axis=2)
