"""Pictures that are hard to encode, and checks of the files by independent readers."""

from __future__ import annotations

import io
import os
import shutil
import subprocess

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

PICTURES = int(os.environ.get("GPEN_FAST_PNG_PICTURES", "60"))
TYPES = [torch.uint8, torch.uint16]


def make(kind: str, shape: tuple[int, int, int], dtype: torch.dtype, seed: int = 0) -> Tensor:
    """Returns a picture (C,H,W) of one kind; each kind stresses another part of the encoder."""
    rng = np.random.default_rng(seed)
    top = 255 if dtype == torch.uint8 else 65535
    across = np.arange(shape[2]) + np.arange(shape[1])[:, None] + np.arange(shape[0])[:, None, None]
    one = rng.integers(0, top + 1)
    values = {
        "noise": lambda: rng.integers(0, top + 1, shape),
        "one colour": lambda: np.broadcast_to(rng.integers(0, top + 1, (shape[0], 1, 1)), shape),
        "two symbols": lambda: rng.integers(0, 2, shape) * one,
        "gradient": lambda: across * (1 + seed % 300) % (top + 1),
        "sparse": lambda: (rng.random(shape) < 0.01) * rng.integers(0, top + 1, shape),
        "grey": lambda: np.broadcast_to(rng.integers(0, top + 1, (1, *shape[1:])), shape),
        "smooth": lambda: np.cumsum(rng.integers(-2, 3, shape), axis=2) % (top + 1),
        "geometric": lambda: np.minimum(rng.geometric(0.4, shape), top),
    }[kind]()
    return torch.from_numpy(np.array(values).astype(np.int32)).to(dtype)


KINDS = ["noise", "one colour", "two symbols", "gradient", "sparse", "grey", "smooth", "geometric"]


def is_grey(pixels: Tensor) -> bool:
    colour = pixels[:3].int()
    return len(pixels) >= 3 and bool((colour == colour[0]).all())


def assert_exact(data: bytes, pixels: Tensor, keep_rgb: bool = False) -> None:
    """Checks that OpenCV (libpng) and Pillow read every sample; Pillow reads the upper byte of 16-bit colour only."""
    wanted = pixels.permute(1, 2, 0).contiguous().numpy()
    if is_grey(pixels) and not keep_rgb:
        wanted = np.delete(wanted, (1, 2), axis=2)
    by_opencv = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    by_opencv = by_opencv.reshape(*by_opencv.shape[:2], -1)
    order = {1: [0], 2: [0, 3], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[wanted.shape[2]]
    assert np.array_equal(by_opencv[..., order], wanted)
    by_pillow = np.asarray(Image.open(io.BytesIO(data)))
    by_pillow = by_pillow.reshape(*wanted.shape[:2], -1)
    if wanted.dtype == np.uint16 and wanted.shape[2] == 2:
        by_pillow = by_pillow[..., [0, -1]]
    narrowed = wanted.dtype == np.uint16 and by_pillow.dtype == np.uint8
    assert np.array_equal(by_pillow, wanted >> 8 if narrowed else wanted)


def assert_valid(data: bytes) -> None:
    """Checks the file's structure with pngcheck if it is installed."""
    if shutil.which("pngcheck"):
        ran = subprocess.run(["pngcheck", "-q"], input=data, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stdout
