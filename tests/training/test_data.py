"""The portraits are read as the manifest says, and batches are reproducible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from portraits import SIZE, small_faces

from gpen_fast.errors import InputsError
from gpen_fast.training.augment import Variety
from gpen_fast.training.data import HELD_OUT, TRAIN, Pairs, faces_to_network, read_faces, read_manifest
from gpen_fast.training.degrade import DamageRanges


def test_the_splits_share_no_person(portraits: Path) -> None:
    train, held_out = read_manifest(portraits, TRAIN), read_manifest(portraits, HELD_OUT)
    assert (len(train), len(held_out)) == (8, 4)
    assert not {each.person for each in train} & {each.person for each in held_out}
    assert train[0].landmarks.tolist() == [[12, 15], [20, 15], [16, 20], [13, 23], [19, 23]]


def test_faces_are_rgb_in_the_manifests_order(portraits: Path) -> None:
    faces = read_faces(portraits, read_manifest(portraits, TRAIN), SIZE)
    assert np.array_equal(faces, small_faces(12)[:8])


def test_says_what_is_missing(portraits: Path, tmp_path: Path) -> None:
    with pytest.raises(InputsError, match=r"manifest\.csv: no such file"):
        read_manifest(tmp_path / "nowhere", TRAIN)
    with pytest.raises(InputsError, match="no row has the split 'test'"):
        read_manifest(portraits, "test")
    with pytest.raises(InputsError, match=r"0\.png: 32x32 pixels, accepted are 64x64 pixels"):
        read_faces(portraits, read_manifest(portraits, TRAIN), 64)
    (portraits / "3.png").unlink()
    with pytest.raises(InputsError, match=r"3\.png: not readable, accepted are 32x32 pixels"):
        read_faces(portraits, read_manifest(portraits, TRAIN), SIZE)


def test_the_network_sees_minus_one_to_one() -> None:
    faces = np.array([[[[0, 127, 255]]]], np.uint8)
    assert torch.allclose(faces_to_network(faces).flatten(), torch.tensor([-1.0, -0.00392, 1.0]), atol=1e-4)
    assert faces_to_network(small_faces(2)).shape == (2, 3, SIZE, SIZE)


def test_a_batch_depends_on_its_number_and_worker_alone() -> None:
    pairs = Pairs(small_faces(5), 3, seed=7, ranges=DamageRanges(), variety=Variety())
    damaged, wanted = pairs.at(11)
    pairs.at(12)
    again = pairs.at(11)
    assert torch.equal(damaged, again[0])
    assert torch.equal(wanted, again[1])
    assert not torch.equal(damaged, pairs.at(12)[0])
    assert not torch.equal(damaged, pairs.at(11, rank=1)[0])
    assert damaged.shape == wanted.shape == (3, 3, SIZE, SIZE)


def test_the_wanted_face_is_the_undamaged_one() -> None:
    none = Variety(mirror=0, warped=0, light=0, colour=0, grey=0, occlusion=0)
    faces = small_faces(1)
    damaged, wanted = Pairs(faces, 1, 0, DamageRanges(factor=(4, 4)), none).at(0)
    assert torch.equal(wanted, faces_to_network(faces))
    assert 0.01 < (damaged - wanted).abs().mean() < 0.5
