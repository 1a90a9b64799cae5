"""Constants, pictures and tensors that many tests use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from shop import TINY
from torch import Tensor

from gpen_fast.stages.generate.base import auto_backend

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
EXAMPLES = ROOT / "examples"
# The backend that `--backend auto` selects on this machine.
BACKEND = auto_backend("cuda" if torch.cuda.is_available() else "cpu")
# Larger pictures and weights that only some machines have; their tests are skipped elsewhere.
SHARED = Path(os.environ.get("GPEN_FAST_SHARED", ROOT.parent / "shared"))

__all__ = ["TINY"]


def reference_file(name: str) -> Path:
    """Returns the path of a file of reference values; skips the test where the source distribution leaves it out."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"tests/data/{name} is not part of the source distribution")
    return path


def shared_picture(name: str) -> Path:
    """Returns the path of a picture that is not part of the project; skips the test if it is absent."""
    path = SHARED / "images" / name
    if not path.exists():
        pytest.skip(f"{name} is absent (set GPEN_FAST_SHARED to the folder that holds images/)")
    return path


def relative_l2(got: Tensor, wanted: Tensor) -> float:
    got, wanted = got.double().cpu(), wanted.double().cpu()
    return float((got - wanted).norm() / wanted.norm())


def reference_input(size: int) -> Tensor:
    """Returns (1,3,size,size) float32, the input for which the reference values were computed."""
    noise = np.random.default_rng(7).uniform(-1, 1, (1, 3, size, size))
    yy, xx = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    smooth = np.stack([xx, yy, np.sin(3 * xx * yy)])
    return torch.from_numpy((0.5 * smooth + 0.5 * noise).astype(np.float32))


def photo(
    height: int = 60, width: int = 80, channels: int = 3, dtype: type = np.uint8, seed: int = 0
) -> np.ndarray:
    """Returns a smooth, coloured picture with some noise: (H,W,C), or (H,W) for one channel."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:height, 0:width]
    waves = [np.sin(xx / (9 + 3 * c) + c) * np.cos(yy / (7 + 2 * c)) for c in range(channels)]
    values = (np.stack(waves, axis=-1) * 0.4 + 0.5 + rng.normal(0, 0.01, (height, width, channels))).clip(
        0, 1
    )
    array = (values * np.iinfo(dtype).max).round().astype(dtype)
    return array[:, :, 0] if channels == 1 else array


def write_photo(path: Path, **shape: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo(**shape)).save(path)
    return path
