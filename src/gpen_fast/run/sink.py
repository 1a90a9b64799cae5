"""What `enhance` does with a restored picture: write it, pass it through, save its faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gpen_fast.errors import PictureError
from gpen_fast.files import copy_file, write_file
from gpen_fast.image.exif_mark import marked
from gpen_fast.image.metadata import MOST_EXIF
from gpen_fast.run.earlier import faces_of
from gpen_fast.run.job import Finished, Pasted, joined
from gpen_fast.run.originals import Keeper
from gpen_fast.run.plan import Item
from gpen_fast.settings import OutputOptions, suffix_of
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame

_SUFFIX_OF_KIND = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}


class Sink:
    """Writes each picture of a plan to its target."""

    def __init__(self, items: Sequence[Item], output: OutputOptions) -> None:
        """Takes the plan's items in the order of the run's sources: a picture's index finds its item."""
        self._items = items
        self._output = output
        self._keeper = Keeper(keep=not output.no_backup)

    def __call__(self, picture: Pasted) -> Finished:
        """Writes the picture; one without faces is passed through as it came.

        Raises:
            PictureError: The target's format cannot hold the picture, or must not replace it.
            FileWriteError: The file to be replaced is read-only.
            OSError: A file cannot be written. No file appears under the target's name then.
        """
        item = self._items[picture.source.index]
        if self._output.in_place:
            _refuse_other_content(item.target, picture.frame)
        if self._output.save_faces:
            # Before the result: a later run skips a picture whose result exists, and would never add its faces.
            self._write_faces(item.target, picture)
        note = picture.picture.note
        if not picture.faces:
            self._pass_through(item, picture.frame)
            return Finished(picture.source, "no_face", 0, note)
        if self._output.in_place:
            frame, said = _marked(picture, item.target)
            note = joined(note, said, self._keeper.replace(item.target, self._encoded(item.target, frame)))
        else:
            self._write(item.target, picture.result)
        kept, why = (picture.use.kept()[0], picture.use.note()) if picture.use else (0, "")
        return Finished(picture.source, "restored", len(picture.faces), joined(note, why), kept=kept)

    def _write(self, target: Path, frame: Frame) -> None:
        write_file(target, self._encoded(target, frame))

    def _encoded(self, target: Path, frame: Frame) -> bytes:
        writer, output = open_writer(suffix_of(target)), self._output
        return writer.encode(frame, output.quality, output.png_level)

    def _pass_through(self, item: Item, frame: Frame) -> None:
        """Copies the file byte for byte where the format stays, else encodes it anew; in place it is there already."""
        if self._output.in_place:
            return
        if _SUFFIX_OF_KIND.get(frame.kind) == suffix_of(item.target):
            copy_file(item.source, item.target)
        else:
            self._write(item.target, frame)

    def _write_faces(self, target: Path, picture: Pasted) -> None:
        folder = faces_of(target)
        # An earlier run may have found more faces.
        for old in folder.glob("[0-9][0-9][0-9]-*.png"):
            old.unlink()
        for number, face in enumerate(picture.restored_faces()):
            for what, pixels in (("crop", face.crop), ("restored", face.restored)):
                self._write(folder / f"{number:03d}-{what}.png", Frame(pixels))


def _marked(picture: Pasted, target: Path) -> tuple[Frame, str]:
    """The result as it replaces its own input, and a note on what is lost with that input."""
    result = picture.result
    lost = ""
    if picture.frame.kind == "MPO":
        lost = "further pictures in its file, such as a gain map, are gone."
    exif = marked(result.exif)
    if suffix_of(target) == "jpg" and len(exif) > MOST_EXIF:
        return result, joined(lost, "its EXIF has no room for the mark: leave it out of a next run.")
    return replace(result, exif=exif), lost


def _refuse_other_content(target: Path, frame: Frame) -> None:
    """In place, a PNG that is named .jpg would become a JPEG and lose what only PNG holds."""
    kind = _SUFFIX_OF_KIND.get(frame.kind)
    if kind != suffix_of(target):
        raise PictureError(f"is {frame.kind} by its content: rename it, or name an output folder.")
