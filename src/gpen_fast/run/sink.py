"""What `enhance` does with a finished picture: write it, copy it through, save its faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gpen_fast.errors import PictureError
from gpen_fast.files import copy_file, write_file
from gpen_fast.image.exif_mark import marked
from gpen_fast.run.pipeline import Job
from gpen_fast.run.plan import faces_of
from gpen_fast.settings import OutputOptions, suffix_of
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame

RESTORED, NO_FACE = "restored", "no_face"
_SUFFIX_OF_KIND = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
# Bytes of EXIF in a JPEG: a segment's most, less its length's two (ITU-T T.81, B.1.1.4).
_MOST_EXIF = 65533


class Sink:
    """Writes each job's picture to its target and notes the outcome in `job.output`."""

    def __init__(self, targets: dict[Path, Path], output: OutputOptions) -> None:
        self._targets = targets
        self._output = output

    def __call__(self, job: Job) -> None:
        """Raises PictureError or OSError; then no file appears under the target's name."""
        target: Path = self._targets[job.source]
        assert job.frame is not None and job.result is not None
        if self._output.in_place:
            _refuse_other_content(target, job.frame)
        if self._output.save_faces:
            self._write_faces(target, job)  # first: a result that exists is never made again
        if job.faces:
            self._write(target, self._marked(job, target) if self._output.in_place else job.result)
            job.output = RESTORED
        else:
            self._pass_through(job.source, target, job.frame)
            job.output = NO_FACE
        job.release()

    def _write(self, target: Path, frame: Frame) -> None:
        writer, output = open_writer(suffix_of(target)), self._output
        write_file(target, writer.encode(frame, output.quality, output.png_level))

    def _marked(self, job: Job, target: Path) -> Frame:
        """The result as it stands in for the picture itself; what goes with that picture is said."""
        assert job.frame is not None and job.result is not None
        if job.frame.kind == "MPO":
            job.note = f"{job.note} further pictures in its file, such as a gain map, are gone.".strip()
        exif = marked(job.result.exif)
        if suffix_of(target) == "jpg" and len(exif) > _MOST_EXIF:
            job.note = f"{job.note} its EXIF has no room for the mark: leave it out of a next run.".strip()
            return job.result
        return replace(job.result, exif=exif)

    def _pass_through(self, source: Path, target: Path, frame: Frame) -> None:
        """Byte for byte where the format stays, else decoded and encoded anew; in place there is nothing to do."""
        if self._output.in_place:
            return
        if _SUFFIX_OF_KIND.get(frame.kind) == suffix_of(target):
            copy_file(source, target)
        else:
            self._write(target, frame)

    def _write_faces(self, target: Path, job: Job) -> None:
        folder = faces_of(target)
        for old in folder.glob("[0-9][0-9][0-9]-*.png"):
            old.unlink()
        for number, face in enumerate(job.restored_faces()):
            for what, pixels in (("crop", face.crop), ("restored", face.restored)):
                self._write(folder / f"{number:03d}-{what}.png", Frame(pixels))


def _refuse_other_content(target: Path, frame: Frame) -> None:
    """In place, a PNG that is named .jpg would become a JPEG and lose what only PNG holds."""
    kind = _SUFFIX_OF_KIND.get(frame.kind)
    if kind != suffix_of(target):
        raise PictureError(f"is {frame.kind} by its content: rename it, or name an output folder.")
