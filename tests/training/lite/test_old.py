"""Damage of old photographs: fading concerns the wanted face too, marks and grain the input alone."""

from __future__ import annotations

import numpy as np
import torch
from portraits import small_faces

from gpen_fast.training.lite.old import OldPhotograph, age, fade

FACES = torch.from_numpy(small_faces(24, 64)).permute(0, 3, 1, 2).float()


def aged(seed: int = 0, faces: torch.Tensor = FACES, **parts: object) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return age(faces, np.random.default_rng(seed), OldPhotograph(**parts), generator)  # type: ignore[arg-type]


def changed(after: torch.Tensor, before: torch.Tensor = FACES) -> torch.Tensor:
    """(B): the part of the pixels that differ."""
    return (after != before).any(1).float().flatten(1).mean(1)


def test_nothing_asked_changes_nothing() -> None:
    assert torch.equal(aged(), FACES)
    assert torch.equal(fade(FACES, np.random.default_rng(0), OldPhotograph()), FACES)


def test_marks_are_few_pixels_nearly_white_or_black() -> None:
    for kind in ("dust", "scratches"):
        after = aged(**{kind: 1.0})
        parts = changed(after)
        assert 0 < parts.max() < 0.6
        assert parts.median() < 0.25
        assert torch.equal(after, after.round())
        assert after.min() >= 0
        assert after.max() <= 255


def test_grain_is_grey_strongest_in_middle_greys_and_as_strong_as_asked() -> None:
    levels = torch.tensor([8.0, 128.0, 247.0]).repeat(8).view(-1, 1, 1, 1).expand(-1, 3, 64, 64)
    noise = aged(faces=levels, grain=1.0, grain_sigma=(10.0, 10.0)) - levels
    assert torch.equal(noise[:, 0], noise[:, 2])
    spread = noise[:, 0].flatten(1).std(1).view(8, 3).mean(0)
    assert 9 < spread[1] < 11
    assert spread[0] < 0.6 * spread[1]
    assert spread[2] < 0.6 * spread[1]


def test_halftone_keeps_the_mean_brightness_about() -> None:
    even = torch.full((8, 3, 64, 64), 128.0)
    dots = aged(faces=even, halftone=1.0)
    assert (dots.flatten(1).std(1) > 5).all()
    assert (dots.flatten(1).mean(1) - 128).abs().max() < 8


def test_fading_pales_and_yellows() -> None:
    after = fade(FACES, np.random.default_rng(0), OldPhotograph(fading=1.0))
    assert (after.flatten(1).std(1) < FACES.flatten(1).std(1)).all()
    assert (after[:, 0].mean((1, 2)) >= after[:, 2].mean((1, 2)) - 12).float().mean() > 0.7


def test_a_probability_is_that_part_of_the_faces() -> None:
    many = FACES.repeat(10, 1, 1, 1)
    part = (changed(aged(faces=many, grain=0.3), many) > 0).float().mean()
    assert 0.2 < part < 0.4
