"""Similarities between point sets, their use and their inverse."""

from __future__ import annotations

import math

import numpy as np

from gpen_fast.image.similarity import inverses, moved, similarities

POINTS = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 3.0], [1.0, 5.0]])


def test_finds_the_turn_the_scale_and_the_shift() -> None:
    c, s = 2 * math.cos(0.4), 2 * math.sin(0.4)
    there = POINTS @ np.array([[c, s], [-s, c]]) + (7, -3)
    (matrix,) = similarities(POINTS[None], there)
    assert np.allclose(matrix, [[c, -s, 7], [s, c, -3]])
    assert np.allclose(moved(matrix[None], POINTS[None])[0], there)
    assert np.allclose(moved(inverses(matrix[None]), there[None])[0], POINTS)


def test_never_mirrors() -> None:
    (matrix,) = similarities(POINTS[None], POINTS * (-1, 1))
    assert np.linalg.det(matrix[:, :2]) > 0
