"""A sample of need holds the exact error that weights of the bands give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from portraits import small_faces
from torch import Tensor

from gpen_fast.image.bands import weighted_bands
from gpen_fast.image.warp import warp_area
from gpen_fast.stages.need.figures import COUNT
from gpen_fast.stages.paste import paste
from gpen_fast.training.need.samples import (
    BANDS,
    DamagedFace,
    draw_sample,
    error_after,
    matrix_of,
    measured,
    sized_face,
)
from gpen_fast.types import Face, Frame

FACES = small_faces(4, size=64)


def darker(crops: Tensor) -> Tensor:
    return (crops.float() * 0.8).round().to(torch.uint8)


@pytest.mark.parametrize(
    ("side", "turn", "box"), [(64, 0.0, 150), (32, 0.0, 150), (96, 12.0, 150), (64, 5.0, 90), (20, 0.0, 20)]
)
def test_the_error_is_that_of_the_pasted_picture(side: int, turn: float, box: float) -> None:
    truth = sized_face(FACES, 0, side / 64, np.random.default_rng(0))
    damaged = np.clip(truth + np.random.default_rng(1).normal(0, 9, truth.shape), 0, 255).astype(np.uint8)
    matrix = matrix_of(side, 64, turn)
    # Restorations of faces under 100 pixels are smoothed when they are pasted.
    face = DamagedFace(truth, damaged, turn, box < 100, "noise")
    sample = measured(face, matrix, darker, 64)
    weights = np.array([0.5, 0.1, 0.9, 1.0, 0.3, 0.6])
    frame = Frame(torch.from_numpy(damaged).permute(2, 0, 1))
    crop = warp_area(frame.pixels, matrix, (64, 64))[None].float()
    change = weighted_bands(darker(crop) - crop, torch.tensor(weights[None, 1:], dtype=torch.float32))
    result = paste(
        frame,
        [Face((0.0, 0.0, box, box), 1.0)],
        matrix[None],
        [(0.5 * crop + change)[0]],
        1.0,
        torch.tensor([0.5]),
    )
    error = ((result.pixels.permute(1, 2, 0).numpy().astype(float) - truth) ** 2).mean()
    assert error_after(sample, weights) == pytest.approx(error, rel=0.03)
    assert error_after(sample, np.zeros(1 + BANDS)) == pytest.approx(
        ((damaged.astype(float) - truth) ** 2).mean(), rel=1e-5
    )


def test_the_same_seed_draws_the_same_sample() -> None:
    one, other = (draw_sample(FACES, darker, np.random.default_rng(5), 64) for _ in range(2))
    assert one.figures.shape == (COUNT,)
    assert np.array_equal(one.figures, other.figures)
    assert one.before == other.before
    assert one.kind == other.kind


@pytest.mark.parametrize("ratio", [0.5, 0.75, 1.0, 1.5, 2.0, 4.0])
def test_larger_faces_have_detail_that_the_portrait_lacks(ratio: float) -> None:
    face = sized_face(FACES, 1, ratio, np.random.default_rng(0))
    assert face.shape == (64 * ratio, 64 * ratio, 3)
    if ratio >= 2:
        assert np.abs(np.diff(face[:, :, 1].astype(int), axis=1)).mean() > 1
