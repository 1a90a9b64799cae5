"""Batched augmentation has the distribution of OpenCV's."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from portraits import small_faces

from gpen_fast.training.augment import Variety, augment
from gpen_fast.training.lite.vary import vary_batch

SIDE, NUMBER = 64, 300
FACES = small_faces(NUMBER, SIDE)
NONE = Variety(mirror=0, warped=0, light=0, colour=0, grey=0, occlusion=0)


def planes(faces: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(faces).permute(0, 3, 1, 2)


def batched(faces: np.ndarray, variety: Variety, seed: int = 0) -> np.ndarray:
    out = vary_batch(planes(faces), planes(faces[::-1].copy()), np.random.default_rng(seed), variety)
    return out.permute(0, 2, 3, 1).byte().numpy()


def by_opencv(faces: np.ndarray, variety: Variety) -> np.ndarray:
    rng = np.random.default_rng(5)
    return np.stack(
        [augment(one, other, rng, variety) for one, other in zip(faces, faces[::-1], strict=True)]
    )


def figures(faces: np.ndarray, before: np.ndarray) -> np.ndarray:
    """(N,5): brightness, contrast, saturation, sharpness, distance from the face before."""
    grey = faces.astype(np.float32).mean(3)
    sharp = [cv2.Laplacian(each, cv2.CV_32F).std() for each in grey]
    apart = np.abs(faces.astype(float) - before).mean((1, 2, 3))
    return np.stack(
        [grey.mean((1, 2)), grey.std((1, 2)), np.ptp(faces, axis=3).mean((1, 2)), sharp, apart], 1
    )


def test_figures_have_the_quantiles_of_opencvs_augmentation() -> None:
    ours, theirs = (figures(made(FACES, Variety()), FACES) for made in (batched, by_opencv))
    for part in (0.25, 0.5, 0.75):
        apart = np.abs(np.quantile(ours, part, axis=0) - np.quantile(theirs, part, axis=0))
        assert (apart <= 0.3 * theirs.std(axis=0)).all(), (part, apart, theirs.std(axis=0))


def test_each_kind_alone_changes_faces_as_much_as_opencv() -> None:
    for change in ({"warped": 1.0}, {"occlusion": 1.0}, {"light": 1.0}, {"colour": 1.0}, {"grey": 1.0}):
        variety = Variety(**{**vars(NONE), **change})
        ours, theirs = (figures(made(FACES, variety), FACES).mean(0) for made in (batched, by_opencv))
        assert (np.abs(ours - theirs) <= 0.12 * theirs + 0.3).all(), (change, ours, theirs)


def test_nothing_asked_changes_nothing_and_a_mirror_is_exact() -> None:
    assert np.array_equal(batched(FACES[:4], NONE), FACES[:4])
    mirrored = batched(FACES[:4], Variety(**{**vars(NONE), "mirror": 1.0}))
    assert np.array_equal(mirrored, FACES[:4, :, ::-1])


def test_a_warp_is_opencvs_for_the_same_numbers() -> None:
    """Both draw the angle, the scale and the shift in this order; OpenCV rounds places to 1/32 of a pixel."""
    from gpen_fast.training.augment import warp_face

    ours = batched(FACES[:1], Variety(**{**vars(NONE), "warped": 1.0}), seed=3)[0]
    rng = np.random.default_rng(3)
    rng.random(1), rng.random(1)  # who is mirrored, and who is warped
    theirs = warp_face(FACES[0], rng, Variety())
    assert np.abs(ours.astype(float) - theirs).mean() < 1.5
