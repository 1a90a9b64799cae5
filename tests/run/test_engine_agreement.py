"""Results do not depend on batches, order or threads: a grey level at most, on a sample in a thousand at most."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import EXAMPLES
from numpy.typing import NDArray
from PIL import Image

from gpen_fast import Restorer

# Grey levels, and the share of samples that may differ by one.
MOST, SHARE = 1, 1e-3


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Aligned pictures of 256 pixels: parts of the examples."""
    folder, paths = tmp_path_factory.mktemp("faces"), []
    with Image.open(EXAMPLES / "astronaut.png") as image:
        for number, left in enumerate((60, 110, 160)):
            paths.append(folder / f"{number}.png")
            image.convert("RGB").crop((left, 0, left + 256, 256)).save(paths[-1])
    return paths


def restored(
    faces: Sequence[Path], order: Sequence[int], threads: int, **settings: object
) -> dict[int, NDArray[np.int64]]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        restorer = Restorer("gpen-lite-256", detector="none", device="cpu", offline=True, **settings)
        done = restorer.restore_many([faces[index] for index in order])
        return {index: np.asarray(one.image).astype(np.int64) for index, one in zip(order, done, strict=True)}
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("backend", ["folded", "eager"])
def test_batch_order_and_threads_change_next_to_nothing(
    faces: list[Path], precision: str, backend: str
) -> None:
    settings = {"precision": precision, "backend": backend, "keep_detail": 0.0}
    base = restored(faces, [0, 1, 2], 1, batch_size=1, **settings)
    for batch, threads, order in ((1, 2, [2, 0, 1]), (3, 1, [2, 1, 0])):
        got = restored(faces, order, threads, batch_size=batch, **settings)
        apart = np.stack([np.abs(base[index] - got[index]) for index in base])
        assert apart.max() <= MOST, (batch, threads)
        assert (apart > 0).mean() <= SHARE, (batch, threads)


def test_deterministic_results_are_the_same_bits_in_any_order(faces: list[Path]) -> None:
    settings = {"precision": "bf16", "deterministic": True, "keep_detail": 0.0}
    base = restored(faces, [0, 1, 2], 2, **settings)
    got = restored(faces, [2, 0, 1], 2, **settings)
    alone = {index: restored(faces, [index], 2, **settings)[index] for index in (1,)}
    assert all(np.array_equal(base[index], got[index]) for index in base)
    assert all(np.array_equal(base[index], alone[index]) for index in alone)
