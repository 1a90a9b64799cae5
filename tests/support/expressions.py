"""Faces that speak and blink: a portrait whose jaw opens and whose lids close, warped around its landmarks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
# In units of the mouth's width and of the eyes' distance: how far the jaw's motion reaches down, and half the width of
# what moves; the height of an eye's opening, its top above the landmark, and half its width.
_JAW, _LIP = 1.3, 0.62
_EYE, _TOP, _LID = 0.26, 0.15, 0.28
_INSIDE = np.array([45.0, 18.0, 20.0], np.float32)


def with_expression(
    picture: Picture, points: tuple[tuple[float, float], ...], opened: float, shut: float
) -> Picture:
    """The portrait with its mouth opened by that part of its width, and its eyes shut by that part, 0..1."""
    made = _opened(picture, np.array(points[3:]), opened) if opened > 0 else picture
    if shut > 0:
        eyes = float(np.hypot(*np.subtract(points[1], points[0])))
        for eye in points[:2]:
            made = _shut(made, eye, eyes, shut)
    return made


def _opened(picture: Picture, corners: NDArray[np.float64], opened: float) -> Picture:
    """Below the line between the lips everything moves down, the less the farther; the gap is dark."""
    (middle, height), width = corners.mean(axis=0), float(np.hypot(*(corners[1] - corners[0])))
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    aside = np.clip(np.abs(columns - middle) / (_LIP * width), 0, 1)
    gap = opened * width * np.cos(aside * np.pi / 2) ** 2
    below, reach = rows - height, _JAW * width
    moves = (below > 0) & (below < reach)
    source = np.where(moves, height + np.maximum(0, below - gap) / (1 - gap / reach), rows)
    made = cv2.remap(picture, columns, source.astype(np.float32), cv2.INTER_LINEAR)
    # Soft over two pixels, so that no edge is finer than the portrait's own.
    dark = np.clip(np.minimum(below, gap - below) / 2, 0, 1)[..., None]
    return np.asarray(made * (1 - dark) + _INSIDE * dark, dtype=np.float32)


def _shut(picture: Picture, eye: tuple[float, float], eyes: float, shut: float) -> Picture:
    """The skin above the eye is drawn down over it."""
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    top = eye[1] - _TOP * eyes
    aside = np.clip(np.abs(columns - eye[0]) / (_LID * eyes), 0, 1)
    edge = top + shut * _EYE * eyes * np.sqrt(1 - aside**2)
    lid = cv2.remap(picture, columns, top - np.abs(rows - top) * 0.2, cv2.INTER_LINEAR)
    over = (np.clip((edge - rows) / 2, 0, 1) * np.clip((rows - top) / 2, 0, 1) * (aside < 1))[..., None]
    return np.asarray(picture * (1 - over) + lid * over, dtype=np.float32)
