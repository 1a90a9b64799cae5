"""What a writer is, and how a file appears. One file beside this one adds a format: it offers `encode`."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from gpen_fast import plugins
from gpen_fast.convert import to_array
from gpen_fast.errors import PictureError
from gpen_fast.types import Frame

_counter = itertools.count()
# Where an ICC profile names its colour space (ICC.1:2022, 7.2.6).
_ICC_SPACE = slice(16, 20)


class Writer(Protocol):
    """A picture format."""

    def encode(self, frame: Frame, quality: int) -> bytes:
        """The picture as a file's bytes, EXIF and ICC carried; PictureError for what the format cannot hold."""


def open_writer(suffix: str) -> Writer:
    """The writer for a file suffix without its dot."""
    if suffix not in plugins.names("save"):
        raise PictureError(
            f"cannot write {suffix or 'files without a suffix'!r}: accepted are {', '.join(plugins.names('save'))}."
        )
    return plugins.load("save", suffix)


def contents(frame: Frame) -> tuple[NDArray[Any], bytes | None]:
    """The (H,W) or (H,W,C) array to write and the profile that fits it.

    A colour picture that is grey everywhere is written as one channel, a third of the size, unless its
    profile describes RGB.
    """
    is_rgb = frame.icc is not None and frame.icc[_ICC_SPACE] == b"RGB "
    channels = 3 if is_rgb else frame.pixels.shape[0]
    lean = Frame(frame.pixels, frame.alpha, channels)
    fits = frame.icc if is_rgb or ((frame.icc or b"")[_ICC_SPACE] == b"GRAY" and channels == 1) else None
    return to_array(lean), fits


def to_8bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    """uint16 rounded to uint8, uint8 as it is."""
    return array if array.dtype == np.uint8 else ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)


def write_file(path: Path, data: bytes) -> None:
    """Writes `data` so that `path` never holds half of it: a temporary name beside it, then a rename."""
    _appear(path, lambda file: file.write(data))


def copy_file(source: Path, path: Path) -> None:
    """Copies a file's bytes, as carefully as `write_file`."""
    with source.open("rb") as given:
        _appear(path, lambda file: shutil.copyfileobj(given, file))


def _appear(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A short name: the final one may already be as long as the file system allows.
    temporary = path.parent / f".gpen-fast-{os.getpid()}-{next(_counter)}.part"
    try:
        with temporary.open("xb") as file:
            fill(file)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
