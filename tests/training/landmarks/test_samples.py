"""Batches depend on their number alone, and faces are learned in their places only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from portraits import SIZE, small_landmark_config

from gpen_fast.errors import InputsError
from gpen_fast.stages.detect.cascade.landmark_net import TEMPLATE
from gpen_fast.training.data import TRAIN
from gpen_fast.training.landmarks import samples as module
from gpen_fast.training.landmarks.config import LandmarkConfig
from gpen_fast.training.landmarks.samples import WindowSamples, cut, read_sources
from gpen_fast.training.landmarks.windows import square_window


def test_a_batch_depends_on_its_number_alone(portraits: Path) -> None:
    config = small_landmark_config(batch=40)
    made = WindowSamples(read_sources(portraits, config), config, 40)
    batch = made.at(5)
    made.at(6)
    again = made.at(5)
    assert torch.equal(batch.windows, again.windows)
    assert torch.equal(batch.points, again.points)
    assert not torch.equal(batch.windows, made.at(6).windows)
    assert not torch.equal(batch.windows, made.at(5, rank=1).windows)
    assert batch.windows.shape == (40, 1, 64, 64)
    assert 255 >= batch.windows.max() > 1
    assert 8 < batch.face.sum() < 35
    assert (batch.points[batch.face == 0] == 0).all()
    apart = (batch.points[batch.face == 1] - torch.from_numpy(TEMPLATE)).norm(dim=2).mean(1)
    assert apart.max() < 0.4, "a face that is learned is in its place"


def test_portraits_of_another_size_are_named(portraits: Path) -> None:
    with pytest.raises(InputsError, match=f"{SIZE}x{SIZE} pixels, accepted are 256x256"):
        read_sources(portraits, LandmarkConfig(steps=1))
    assert module.small_faces(portraits, TRAIN, SIZE)[0].shape == (8, SIZE // 2, SIZE // 2, 3)


def test_halved_landmarks_stay_on_their_pixels(portraits: Path) -> None:
    """The picture's corner is (-0.5,-0.5) at either size."""
    landmarks = module.small_faces(portraits, TRAIN, SIZE)[1]
    assert landmarks[0].tolist() == [[5.75, 7.25], [9.75, 7.25], [7.75, 9.75], [6.25, 11.25], [9.25, 11.25]]


def test_a_window_keeps_the_pictures_type_and_channels() -> None:
    window = square_window((15.5, 15.5), 32)
    grey, colour = np.full((32, 32), 7, np.float32), np.full((32, 32, 3), 9, np.uint8)
    assert (cut(grey, window) == 7).all()
    assert cut(grey, window).dtype == np.float32
    assert cut(colour, window).shape == (64, 64, 3)
    assert cut(colour, window).dtype == np.uint8
