"""What a writer is, and how a file appears. One file beside this one adds a format: it offers `encode`."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpen_fast import plugins
from gpen_fast.errors import PictureError
from gpen_fast.image.convert import to_array
from gpen_fast.settings import FAST
from gpen_fast.types import Frame

# Where an ICC profile names its colour space (ICC.1:2022, 7.2.6).
ICC_SPACE = slice(16, 20)
# ImageWidth and ImageLength; the EXIF directory, and PixelXDimension and PixelYDimension in it (CIPA DC-008).
_IMAGE_SIZE, _EXIF_DETAILS, _PIXEL_SIZE = (256, 257), 34665, (40962, 40963)


class Writer(Protocol):
    """A picture format."""

    def encode(self, frame: Frame, quality: int, level: str = FAST) -> bytes:
        """The picture as a file's bytes, EXIF and ICC carried; PictureError for what the format cannot hold.

        quality: 1 to 100, of formats with losses. level: one of PNG_LEVELS, of PNG.
        """


def open_writer(suffix: str) -> Writer:
    """The writer for a file suffix without its dot."""
    if suffix not in plugins.names("save"):
        raise PictureError(
            f"cannot write {suffix or 'files without a suffix'!r}: accepted are {', '.join(plugins.names('save'))}."
        )
    return plugins.load("save", suffix)


def contents(frame: Frame) -> tuple[NDArray[Any], bytes | None]:
    """The (H,W) or (H,W,C) array to write, in host memory, and the profile that fits it: see `fitting`."""
    lean, icc = fitting(frame)
    return to_array(lean), icc


def fitting(frame: Frame) -> tuple[Frame, bytes | None]:
    """The frame with the channels that are written, and the profile that fits them.

    A colour picture that is grey everywhere is written as one channel, a third of the size, unless its
    profile describes RGB.
    """
    is_rgb = frame.icc is not None and frame.icc[ICC_SPACE] == b"RGB "
    channels = 3 if is_rgb else frame.pixels.shape[0]
    lean = Frame(frame.pixels, frame.alpha, channels)
    fits = frame.icc if is_rgb or ((frame.icc or b"")[ICC_SPACE] == b"GRAY" and channels == 1) else None
    return lean, fits


def metadata(frame: Frame, icc: bytes | None) -> dict[str, Any]:
    """What a file says about its pixels, under the names of Pillow's writers: exif, icc_profile, xmp, dpi."""
    exif = None if frame.exif is None else _with_size(frame.exif, frame.width, frame.height)
    carried = {"exif": exif, "icc_profile": icc, "xmp": frame.xmp, "dpi": frame.dpi}
    return {name: value for name, value in carried.items() if value}


def _with_size(data: bytes, width: int, height: int) -> bytes:
    """EXIF whose statements of the picture's size, where it makes any, are true of this one."""
    exif = Image.Exif()
    exif.load(data)
    details = exif.get_ifd(_EXIF_DETAILS)
    sizes = ((exif, _IMAGE_SIZE), (details, _PIXEL_SIZE))
    stale = [(tags, tag, true) for tags, pair in sizes for tag, true in zip(pair, (width, height), strict=True)
             if tags.get(tag, true) != true]  # fmt: skip
    for tags, tag, true in stale:
        tags[tag] = true
    return exif.tobytes() if stale else data


def to_8bit(array: NDArray[Any]) -> NDArray[np.uint8]:
    """uint16 rounded to uint8, uint8 as it is."""
    return array if array.dtype == np.uint8 else ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)


def write_file(path: Path, data: bytes) -> None:
    """Writes `data` so that `path` never holds half of it: a temporary name beside it, then a rename.

    A file that it replaces passes its permissions on, and its owner where that is allowed. PictureError where
    that file is read-only.
    """
    _appear(path, lambda file: file.write(data))


def copy_file(source: Path, path: Path) -> None:
    """Copies a file's bytes, as carefully as `write_file`, and the time of its last change."""
    with source.open("rb") as given:
        status = os.fstat(given.fileno())
        times = (status.st_atime_ns, status.st_mtime_ns)
        _appear(path, lambda file: shutil.copyfileobj(given, file), times)


def _appear(path: Path, fill: Callable[[BinaryIO], object], times: tuple[int, int] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A short name: the final one may already be as long as the file system allows. A random one: what a killed run
    # left behind must not be in the way.
    temporary = path.parent / f".gpen-fast-{secrets.token_hex(6)}.part"
    try:
        with temporary.open("xb") as file:
            fill(file)
        _inherit(path, temporary)
        if times:
            os.utime(temporary, ns=times)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _inherit(old: Path, new: Path) -> None:
    """Gives the file that is to replace `old` its permissions and owner."""
    if old.is_symlink() or not old.is_file():
        return
    status = old.stat()
    if not status.st_mode & 0o222:
        raise PictureError(f"{old} is read-only and not replaced. Allow writing, or name another output.")
    new.chmod(stat.S_IMODE(status.st_mode))
    if hasattr(os, "chown"):
        with contextlib.suppress(PermissionError):
            os.chown(new, status.st_uid, status.st_gid)
