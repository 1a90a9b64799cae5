"""Batches are made on the device, equal for the same step, and from OpenCV where that is faster."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from portraits import SIZE, small_faces

from gpen_fast.training.degrade import DamageRanges
from gpen_fast.training.lite.batches import DeviceBatches, opencv_is_faster
from gpen_fast.training.lite.damage import CleanInput
from gpen_fast.training.lite.old import OldPhotograph
from gpen_fast.training.lite.sets import FaceStore

STORE = FaceStore(torch.from_numpy(small_faces(6)).permute(0, 3, 1, 2), torch.full((6,), 1 / 6))
BATCHES = DeviceBatches(STORE, 4, 1, DamageRanges(), old=OldPhotograph(0.5, 0.5, scratches=0.5))


@pytest.mark.parametrize("batched", [True, False])
def test_a_step_has_its_batch_whenever_it_is_asked_for(batched: bool) -> None:
    batches = replace(BATCHES, batched=batched)
    first, again, next_one = batches.at(3), batches.at(3), batches.at(4)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first[1], next_one[1])
    assert not torch.equal(first[1], batches.at(3, rank=1)[1])
    for each in first:
        assert each.shape == (4, 3, SIZE, SIZE)
        assert -1 <= each.min() <= each.max() <= 1


def test_a_clean_face_comes_in_as_it_is_wanted_without_scratches() -> None:
    clean = replace(BATCHES, clean=CleanInput(whole=1.0), old=OldPhotograph(1.0, 1.0, scratches=1.0))
    damaged, wanted = clean.at(0)
    assert torch.equal(damaged, wanted)


def test_faces_are_drawn_by_their_shares() -> None:
    shares = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    from gpen_fast.training.augment import Variety

    still = Variety(mirror=0, warped=0, light=0, colour=0, grey=0, occlusion=0)
    _, wanted = replace(BATCHES, store=replace(STORE, shares=shares), variety=still, old=OldPhotograph()).at(
        0
    )
    assert torch.equal(((wanted + 1) * 127.5).round().byte(), STORE.faces[2:3].expand(4, -1, -1, -1))


def test_opencv_makes_batches_on_a_cpu_only() -> None:
    assert opencv_is_faster(torch.device("cpu"))
    assert not opencv_is_faster(torch.device("cuda"))
