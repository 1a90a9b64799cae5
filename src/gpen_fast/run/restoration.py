"""What `Restorer` returns for a picture, and how it is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from gpen_fast.errors import PictureError, SettingsError, reason
from gpen_fast.files import write_file
from gpen_fast.image.convert import like
from gpen_fast.run.job import Pasted
from gpen_fast.settings import FAST, PNG_LEVELS, PngLevel, suffix_of
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame, RestoredFace


@dataclass(frozen=True, eq=False)
class Restoration:
    """What became of one picture."""

    image: Any = field(repr=False)  # its type is the input's: an array for a path, else what the caller gave
    """The restored picture in the input's kind, depth and channels (a path gives an array); None where `error` is
    set."""

    faces: tuple[RestoredFace, ...] = ()
    """The faces restored in it."""

    timing: Mapping[str, float] = field(default_factory=dict)
    """Host milliseconds by stage. A batch's time is shared evenly among its faces."""

    error: Exception | None = None
    """Why the picture failed; None where it did not."""

    path: Path | None = None
    """The input's path; None for a picture that came as pixels."""

    metadata: Frame | None = field(default=None, repr=False)
    """EXIF, ICC profile, XMP, density and whatever else the input carries, in a frame of one pixel: `save` writes them.
    None where `error` is set."""

    def save(self, path: str | os.PathLike[str], *, quality: int = 95, png_level: PngLevel = FAST) -> None:
        """Writes `image` with the input's metadata, in the format that `path` ends in.

        A picture without faces is encoded anew, as any other: `enhance` copies its file.

        Args:
            path: The file to write. It appears whole or not at all, and may be the input's own.
            quality: 1..100, for JPEG and WebP.
            png_level: `fast`, or `small` for a file that is some 4 % smaller and takes far longer.

        Raises:
            PictureError: The picture was not restored, or the format cannot hold it.
            SettingsError: `png_level` is not one of these.
            OSError: The file cannot be written.
        """
        if self.error is not None or self.metadata is None:
            cause = reason(self.error, self.path or Path()) if self.error else "it has no picture"
            raise PictureError(f"nothing to save: {self.path or 'the picture'} was not restored ({cause}).")
        frame = self.image if isinstance(self.image, Frame) else load(self.image, torch.device("cpu"))
        restored = replace(
            self.metadata, pixels=frame.pixels, alpha=frame.alpha, channels=frame.channels, host=frame.host
        )
        write_frame(restored, Path(path), quality=quality, png_level=png_level)


def restoration_of(picture: Pasted, faces: tuple[RestoredFace, ...]) -> Restoration:
    """What the caller gets of a restored picture.

    Args:
        picture: The picture.
        faces: Its faces, in host memory.
    """
    result = picture.result
    # Only the metadata is kept beside `image`: the pixels would be held twice.
    bare = replace(result, pixels=torch.zeros(1, 1, 1, dtype=result.pixels.dtype), alpha=None, host=None)
    image = like(picture.source.picture, result)
    return Restoration(image, faces, picture.timing, path=picture.source.path, metadata=bare)


def write_frame(frame: Frame, path: Path, *, quality: int, png_level: PngLevel) -> None:
    """Writes a picture in the format that `path` ends in; the file appears whole or not at all.

    Args:
        frame: The picture.
        path: The file to write.
        quality: 1..100, for JPEG and WebP.
        png_level: One of PNG_LEVELS.

    Raises:
        PictureError: The format cannot hold the picture.
        SettingsError: `png_level` is not one of these.
        OSError: The file cannot be written.
    """
    if png_level not in PNG_LEVELS:
        raise SettingsError(f"PNG level {png_level!r}: accepted are {', '.join(PNG_LEVELS)}.")
    write_file(path, open_writer(suffix_of(path)).encode(frame, quality, png_level))
