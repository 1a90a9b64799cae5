"""Windows lie where they should, and what they are made from can be had again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from portraits import POINTS, SIZE, small_faces, small_landmark_config

from gpen_fast.errors import InputsError, SettingsError
from gpen_fast.stages.detect.cascade.landmark_net import TEMPLATE
from gpen_fast.training.data import TRAIN
from gpen_fast.training.landmarks import samples as module
from gpen_fast.training.landmarks.commands import DEFAULT
from gpen_fast.training.landmarks.config import Config, Jitter, Windows, read_config
from gpen_fast.training.landmarks.mining import mine
from gpen_fast.training.landmarks.samples import Samples, stock
from gpen_fast.training.landmarks.scenes import face_free
from gpen_fast.training.landmarks.windows import anywhere, around, jittered, mirrored, misplaced, off, seen_at

LANDMARKS = np.array(POINTS.split(), dtype=np.float64).reshape(5, 2)
FACE = small_faces(1)[0]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_a_window_shows_landmarks_near_their_places() -> None:
    assert off(around(LANDMARKS), LANDMARKS) < 0.03
    assert np.allclose(seen_at(around(TEMPLATE * 200 + 30), TEMPLATE * 200 + 30), TEMPLATE)


def test_jitter_keeps_within_its_bounds(rng: np.random.Generator) -> None:
    home = around(LANDMARKS)
    assert np.allclose(jittered(home, rng, Jitter(0, 1, 0)), home)
    farthest = [off(jittered(home, rng, Jitter(10, 1.1, 0.05)), LANDMARKS) for _ in range(200)]
    assert 0.03 < max(farthest) < 0.16
    squeezed = [jittered(home, rng, Jitter(0, 1, 0, squeeze=0.5)) for _ in range(50)]
    assert min(each[0, 0] for each in squeezed) < 0.7 * home[0, 0]
    assert all(each[1, 1] == pytest.approx(home[1, 1]) for each in squeezed)


def test_misplaced_windows_are_far_off(rng: np.random.Generator) -> None:
    windows = Windows(apart=0.4)
    assert min(off(misplaced(LANDMARKS, rng, windows), LANDMARKS) for _ in range(50)) > 0.4


def test_windows_anywhere_lie_within_the_picture(rng: np.random.Generator) -> None:
    for _ in range(50):
        window = anywhere(np.zeros((90, 120, 3), np.uint8), rng, 24.0)
        (x, y), inside = (window[:, :2] @ (60, 45) + window[:, 2]).tolist(), 64 / np.hypot(*window[:, 0])
        assert 24 <= inside <= 90
        assert -200 < x < 264
        assert -200 < y < 264


def test_a_mirrored_face_keeps_left_left() -> None:
    picture, there = mirrored(FACE, LANDMARKS)
    assert np.array_equal(picture, FACE[:, ::-1])
    assert there[0, 0] < there[1, 0]
    assert there[3, 0] < there[4, 0]
    assert np.allclose(mirrored(picture, there)[1], LANDMARKS)


def test_a_batch_depends_on_its_number_alone(portraits: Path) -> None:
    config = small_landmark_config(batch=40)
    made = Samples(stock(portraits, config), config, 40)
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
    assert apart.max() < 0.4, "a face that is learnt is in its place"


def test_what_a_cascade_mistakes_is_learnt_as_no_face(
    portraits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A smiling pattern of blobs that the cascades take for a face; and the same where the face is."""
    import skimage

    astronaut = skimage.data.astronaut()
    scene = astronaut[30:230, 120:320]
    found = mine(np.zeros((0, 64, 64, 3), np.uint8), np.zeros((0, 5, 2)), [scene])
    assert found
    assert all(each.landmarks is None for each in found)
    there = np.array([[84, 70], [128, 74], [104, 98], [82, 108], [125, 112]], dtype=np.float64)
    beside = mine(scene[None], there[None], [])
    assert all(off(each.window, there) > 0.4 for each in beside), "the face itself is none of them"
    config = small_landmark_config(windows=Windows(none=1.0, mined=1.0, misplaced=0.0))
    monkeypatch.setattr(module, "mine", lambda *arguments: found)
    batch = Samples(stock(portraits, config), config, 8).at(0)
    assert batch.face.sum() == 0


def test_scenes_are_the_same_each_time() -> None:
    once, twice = face_free(), face_free()
    assert all(np.array_equal(a, b) for a, b in zip(once, twice, strict=True))
    assert all(scene.dtype == np.uint8 and scene.ndim == 3 and min(scene.shape[:2]) > 100 for scene in once)


def test_portraits_of_another_size_are_named(portraits: Path) -> None:
    with pytest.raises(InputsError, match=f"{SIZE}x{SIZE}, and 256x256 is wanted"):
        stock(portraits, Config(steps=1))
    assert module.small_faces(portraits, TRAIN, SIZE)[0].shape == (8, SIZE // 2, SIZE // 2, 3)


def test_the_published_run_can_be_read() -> None:
    assert read_config(DEFAULT).network.widths == (12, 32, 64, 96)
    with pytest.raises(SettingsError, match="steps 0, batch 64: accepted are 1, and 2 and up"):
        Config(steps=0)
