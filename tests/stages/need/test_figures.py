"""The figures of a face tell noise, blocks, blur and size apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from helpers import EXAMPLES

from gpen_fast.stages.crop import crop
from gpen_fast.stages.need.figures import COUNT, figures
from gpen_fast.types import Frame

# The astronaut's face, a square of 256 pixels.
FACE = cv2.imread(str(EXAMPLES / "astronaut.png"))[0:256, 100:356, ::-1]
MATRIX = np.eye(2, 3)[None]
# Places of figures: energy of the quiet cells of the crop's finest band, of the finest band in the picture, blocks.
CROP_MEAN, CROP_QUIET, PICTURE_QUIET, BLOCKS, SCALE = 0, 1, 13, -2, -1


def measured(picture: np.ndarray, matrix: np.ndarray = MATRIX, size: int = 256) -> torch.Tensor:
    frame = Frame(torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1))
    return figures(frame, matrix, crop(frame, matrix, size).pixels)[0]


def test_noise_raises_the_quiet_cells() -> None:
    noise = np.random.default_rng(0).normal(0, 8, FACE.shape)
    clean, noisy = measured(FACE), measured(np.clip(FACE + noise, 0, 255).astype(np.uint8))
    assert clean.shape == (COUNT,)
    assert noisy[CROP_QUIET] > clean[CROP_QUIET] + 2
    assert noisy[PICTURE_QUIET] > clean[PICTURE_QUIET] + 2


def test_blur_lowers_the_finest_band_more_than_the_others() -> None:
    change = measured(cv2.GaussianBlur(FACE, (0, 0), 2)) - measured(FACE)
    assert change[CROP_MEAN] < change[2] < change[4] < 0


def test_compression_shows_as_blocks_wherever_the_picture_was_cut() -> None:
    packed = cv2.imdecode(cv2.imencode(".jpg", FACE, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    for shift in (0, 3):
        assert measured(packed[shift:, shift:])[BLOCKS] > measured(FACE[shift:, shift:])[BLOCKS] + 0.5


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_the_last_figure_is_the_size_beside_the_network(scale: float) -> None:
    matrix = np.array([[[scale, 0, 0], [0, scale, 0]]])
    assert measured(FACE, matrix)[SCALE] == pytest.approx(np.log2(scale))


def test_deep_and_grey_pictures_measure_like_their_8_bit_colour_form() -> None:
    wanted = measured(FACE)
    assert torch.allclose(measured(FACE.astype(np.uint16) * 257), wanted, atol=1e-3)
    grey = cv2.cvtColor(np.ascontiguousarray(FACE), cv2.COLOR_RGB2GRAY)
    assert torch.allclose(
        measured(grey[:, :, None]), measured(np.repeat(grey[:, :, None], 3, axis=2)), atol=1e-3
    )


def test_faces_of_one_picture_measure_like_each_alone() -> None:
    picture = np.tile(FACE, (2, 2, 1))
    frame = Frame(torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1))
    matrices = np.array(
        [[[scale, 0, -x], [0, scale, -9.0]] for scale, x in ((0.5, 3), (1.0, 70), (0.52, 60), (2, 9))]
    )
    together = figures(frame, matrices, crop(frame, matrices, 256).pixels)
    alone = [measured(picture, matrix[None]) for matrix in matrices]
    assert torch.allclose(together, torch.stack(alone), atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 200), (20, 9)])
def test_the_smallest_pictures_have_finite_figures(height: int, width: int) -> None:
    matrix = np.array([[[3.0, 0, -5], [0, 3.0, 2]]])
    assert torch.isfinite(measured(FACE[:height, :width], matrix, 64)).all()
