"""JPEG keeps full chroma, and alpha only where it hides nothing."""

from __future__ import annotations

import numpy as np
from helpers import photo
from saving import frame_of, opened

from gpen_fast.stages.save.base import open_writer


def test_jpeg_keeps_full_chroma_and_is_close() -> None:
    array = photo()
    image = opened(open_writer("jpg").encode(frame_of(array), 95))
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
    assert np.abs(np.asarray(image).astype(int) - array).mean() < 3


def test_jpeg_takes_alpha_that_hides_nothing() -> None:
    array = np.concatenate([photo(), np.full((60, 80, 1), 255, np.uint8)], axis=-1)
    assert opened(open_writer("jpg").encode(frame_of(array), 95)).mode == "RGB"
