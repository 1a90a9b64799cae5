"""A contact sheet of the windows that the landmark network is trained on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.training.landmarks.config import LandmarkConfig
from gpen_fast.training.landmarks.samples import WindowSamples, read_sources

# Windows across and down, and the side of each on the sheet in pixels.
_ACROSS, _DOWN, _SIDE = 16, 10, 96
# One RGB colour for each landmark.
_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255))


def window_sheet(config: LandmarkConfig, data: Path) -> NDArray[np.uint8]:
    """Draws the first windows of a run; faces show their landmarks and have a green bar at the top.

    Args:
        config: The run's config.
        data: The training folder.

    Returns:
        (960,1536,3) RGB uint8.
    """
    batch = WindowSamples(read_sources(data, config), config, _ACROSS * _DOWN).at(0)
    tiles = [
        _tile(window[0].numpy().astype(np.uint8), points.numpy() if face else None)
        for window, points, face in zip(batch.windows, batch.points, batch.face, strict=True)
    ]
    rows = [np.concatenate(tiles[i : i + _ACROSS], axis=1) for i in range(0, len(tiles), _ACROSS)]
    return np.concatenate(rows, axis=0)


def _tile(window: NDArray[np.uint8], points: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    tile = cv2.resize(cv2.cvtColor(window, cv2.COLOR_GRAY2RGB), (_SIDE, _SIDE))
    for point, colour in zip([] if points is None else points, _COLOURS, strict=False):
        cv2.circle(tile, (round(float(point[0]) * _SIDE), round(float(point[1]) * _SIDE)), 2, colour, -1)
    if points is not None:
        tile[:3] = (0, 255, 0)
    return np.asarray(tile)
