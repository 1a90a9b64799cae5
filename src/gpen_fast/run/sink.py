"""What `enhance` does with a restored picture: write it, pass it through, save its faces."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from gpen_fast.errors import PictureError
from gpen_fast.files import copy_file, write_file
from gpen_fast.image.exif_mark import marked
from gpen_fast.image.metadata import MOST_EXIF
from gpen_fast.run.dates import dates_of, give_dates
from gpen_fast.run.earlier import faces_of
from gpen_fast.run.fit import Fit
from gpen_fast.run.job import Finished, Pasted, PictureSource, joined
from gpen_fast.run.journal.book import JournalBook
from gpen_fast.run.journal.rows import RecordedOutcome
from gpen_fast.run.originals import Keeper
from gpen_fast.run.plan import Item
from gpen_fast.settings import OutputOptions, suffix_of
from gpen_fast.stages.save.base import as_grey, open_writer
from gpen_fast.stages.save.carry import left_out_note
from gpen_fast.types import Frame

_SUFFIX_OF_KIND = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif"}


class Sink:
    """Writes each picture of a plan to its target."""

    def __init__(
        self,
        items: Sequence[Item],
        output: OutputOptions,
        fit: Fit | None = None,
        numbered: Collection[str] = frozenset(),
        journal: JournalBook | None = None,
    ) -> None:
        """Takes the plan.

        Args:
            items: The plan's items in the order of the run's sources: a picture's index finds its item.
            output: How results are written.
            fit: What changed pictures before they were restored; None: nothing did.
            numbered: The pictures that are numbered together: `grey_as_grey` leaves their channels as they are.
            journal: Gets a row for each result; None: nothing is recorded.
        """
        self._items = items
        self._output = output
        self._journal = journal or JournalBook(None, output)
        self._keeper = Keeper(keep=not output.no_backup)
        self._fit = fit
        self._numbered = numbered

    def check(self, source: PictureSource, frame: Frame) -> None:
        """Refuses a picture with faces, before the network runs, whose result must not replace its file.

        Args:
            source: The picture.
            frame: It as it was read.

        Raises:
            PictureError: In place, the file holds what no result holds, or another format than its name says.
        """
        if self._output.in_place:
            _refuse_other_content(self._items[source.index].target, frame)
            _refuse_loss(self._items[source.index].target, frame)

    def __call__(self, picture: Pasted) -> Finished:
        """Writes the picture; one without faces is passed through as it came.

        Raises:
            PictureError: The target's format cannot hold the picture, or must not replace it.
            FileWriteError: The file to be replaced is read-only.
            OSError: A file cannot be written. No file appears under the target's name then.
        """
        item = self._items[picture.source.index]
        if not self._output.keep_dates:
            return self._finished(item, picture)
        dates = dates_of(item.source)
        done = self._finished(item, picture)
        return replace(done, note=joined(done.note, give_dates(item.target, dates)))

    def _finished(self, item: Item, picture: Pasted) -> Finished:
        if picture.faces:
            self.check(picture.source, picture.frame)
        elif self._output.in_place:
            _refuse_other_content(item.target, picture.frame)
        if self._output.save_faces:
            # Before the result: a later run skips a picture whose result exists, and would never add its faces.
            self._write_faces(item.target, picture)
        note = picture.picture.note
        if not picture.faces:
            note = joined(note, self._pass_through(item, picture))
            return Finished(picture.source, "no_face", 0, note)
        kept, why = (picture.use.kept()[0], picture.use.note()) if picture.use else (0, "")
        if self._output.in_place and kept == len(picture.faces):
            # Nothing is gained by writing the same pixels again, and a JPEG would lose by it.
            self._journal.left(item.source, item.target, "restored", picture.frame.sha256)
        elif self._output.in_place:
            frame, said = _marked(picture, item.target)
            note = joined(note, said, self._replace(item, picture, frame))
        else:
            note = joined(note, self._write_result(item, picture, picture.result))
        return Finished(picture.source, "restored", len(picture.faces), joined(note, why), kept=kept)

    def _write_result(self, item: Item, picture: Pasted, frame: Frame) -> str:
        """Writes and records a result; returns a sentence on the metadata that its format cannot hold."""
        data = self._encoded(item.target, self._in_form(item, frame))
        # Only a journal asks for the hash here.
        sha256 = hashlib.sha256(data).hexdigest() if self._journal.keeps_rows else ""
        before, home = self._before(item, picture, sha256), self._journal.home_of(item.target)
        write_file(item.target, data, before=before, home=home)
        return left_out_note(frame, suffix_of(item.target))

    def _in_form(self, item: Item, frame: Frame) -> Frame:
        """The picture with the channels to write."""
        return (
            as_grey(frame) if self._output.grey_as_grey and item.source_path not in self._numbered else frame
        )

    def _write(self, target: Path, frame: Frame) -> None:
        write_file(target, self._encoded(target, frame))

    def _replace(self, item: Item, picture: Pasted, frame: Frame) -> str:
        """Replaces the picture by its result; returns what the user should know of the original."""
        data = self._encoded(item.target, self._in_form(item, frame))
        sha256 = hashlib.sha256(data).hexdigest()
        return self._keeper.replace(item.target, data, self._before(item, picture, sha256), sha256=sha256)

    def _before(self, item: Item, picture: Pasted, sha256: str) -> Callable[[Path], None] | None:
        """What records the result, of that hash, just before it gets its name."""
        if not self._journal.keeps_rows:
            return None
        outcome: RecordedOutcome = "restored" if picture.faces else "no_face"
        return self._journal.before(item.source, item.target, outcome, picture.frame.sha256, sha256)

    def _encoded(self, target: Path, frame: Frame) -> bytes:
        writer, output = open_writer(suffix_of(target)), self._output
        return writer.encode(frame, output.quality, output.png_level)

    def _pass_through(self, item: Item, picture: Pasted) -> str:
        """Copies the file byte for byte where the format stays, else encodes it anew; in place it is there already."""
        if self._output.in_place:
            self._journal.left(item.source, item.target, "no_face", picture.frame.sha256)
            return ""
        frame = picture.frame
        changed = self._fit is not None and self._fit.changed(picture.source)
        if not changed and _SUFFIX_OF_KIND.get(frame.kind) == suffix_of(item.target):
            before = self._journal.before(item.source, item.target, "no_face", frame.sha256, frame.sha256)
            copy_file(item.source, item.target, before=before, home=self._journal.home_of(item.target))
            return ""
        return self._write_result(item, picture, frame)

    def _write_faces(self, target: Path, picture: Pasted) -> None:
        folder = faces_of(target)
        # An earlier run may have found more faces.
        for old in folder.glob("[0-9][0-9][0-9]-*.png"):
            old.unlink()
        for number, face in enumerate(picture.restored_faces()):
            for what, pixels in (("crop", face.crop), ("restored", face.restored)):
                self._write(folder / f"{number:03d}-{what}.png", Frame(pixels))


def _marked(picture: Pasted, target: Path) -> tuple[Frame, str]:
    """The result as it replaces its own input, and a note where it cannot bear the mark."""
    result = picture.result
    exif = marked(result.exif)
    if suffix_of(target) == "jpg" and len(exif) > MOST_EXIF:
        return result, "its EXIF has no room for the mark: leave it out of a next run."
    return replace(result, exif=exif), ""


def _refuse_other_content(target: Path, frame: Frame) -> None:
    """In place, a PNG that is named .jpg would become a JPEG and lose what only PNG holds."""
    kind = _SUFFIX_OF_KIND.get(frame.kind)
    if kind != suffix_of(target):
        raise PictureError(f"is {frame.kind} by its content: rename it, or name an output folder.")


def _refuse_loss(target: Path, frame: Frame) -> None:
    """In place, the result would destroy what of the file it does not hold."""
    if frame.unkept:
        raise PictureError(f"holds {frame.unkept}, which its result would destroy. Name an output folder.")
    if note := left_out_note(frame, suffix_of(target)):
        raise PictureError(
            f"{note.removesuffix('.')}; in place, that would be destroyed. Name an output folder."
        )
