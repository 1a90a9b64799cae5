"""The pictures of `profile --ladder`, their aligned crops, and what the baseline made of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from gpen_fast.detections.cache import DetectionWriter
from gpen_fast.device.streams import to_host
from gpen_fast.errors import GenerateError, PictureError, reason
from gpen_fast.files import write_file
from gpen_fast.image.likeness import psnr, ssim
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.job import Pasted, PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame


@dataclass(frozen=True, eq=False)
class LadderPicture:
    """A file that is restored, and what the baseline made of it."""

    path: Path
    """The file."""

    wanted: Tensor = field(repr=False)
    """(1|3,H,W) in the file's depth, in host memory: the baseline's picture."""

    def likeness(self, result: Path) -> tuple[float, float]:
        """PSNR in dB, infinite for equal pictures, and SSIM of a file against the baseline's picture."""
        made = _colours(load(result, torch.device("cpu")))
        return psnr(made, self.wanted), ssim(made, self.wanted)


@dataclass(frozen=True, eq=False)
class LadderAlbum:
    """What every row restores."""

    whole: Sequence[LadderPicture]
    """The pictures of the user."""

    crops: Sequence[LadderPicture]
    """Each face of them as an aligned picture of its own."""

    folder: Path
    """Where the crops and the files of landmarks are."""

    def landmarks(self, detector: str) -> Path:
        """The file of the faces that a detector found in the whole pictures."""
        return self.folder / f"landmarks-{detector}.jsonl"


def open_album(runtime: Runtime, pictures: Sequence[Path], folder: Path) -> LadderAlbum:
    """Restores each picture once, and keeps the results.

    Args:
        runtime: The baseline's.
        pictures: Files.
        folder: An empty folder for what the rows need.

    Raises:
        PictureError: A file cannot be read as a picture, no face is found in it, or the network gives no usable face.
    """
    whole: list[LadderPicture] = []
    crops: list[LadderPicture] = []
    pipeline = Pipeline(runtime, Clock(Recorder()))
    for index, path in enumerate(pictures):
        try:
            pasted = pipeline.restore(PictureSource(index, path))
        except (PictureError, GenerateError, OSError) as cause:
            raise PictureError(f"{path}: {reason(cause, path)}") from cause
        if not pasted.faces:
            raise PictureError(
                f"{path}: {runtime.detector.name} finds no face in it, and every row of --ladder restores one. "
                "Name a picture with a face."
            )
        whole.append(LadderPicture(path, _colours(pasted.result)))
        crops += _aligned(pasted, folder, first=len(crops))
    return LadderAlbum(whole, crops, folder)


def write_landmarks(runtime: Runtime, album: LadderAlbum) -> None:
    """Detects the faces of the whole pictures, and writes them to the detector's file, unless it is there."""
    path = album.landmarks(runtime.detector.name)
    if path.exists():
        return
    writer = DetectionWriter.open(path)
    pipeline = Pipeline(runtime, Clock(Recorder()), writer)
    for index, picture in enumerate(album.whole):
        pipeline.detect_early(pipeline.load(PictureSource(index, picture.path)))
    writer.write()


def _aligned(pasted: Pasted, folder: Path, first: int) -> list[LadderPicture]:
    """Each face of a picture as a file of the very pixels that the network was given."""
    made = []
    for number, (crop, restored) in enumerate(zip(pasted.crops.pixels, pasted.restored, strict=True)):
        path = folder / f"face-{first + number}.png"
        write_file(path, open_writer("png").encode(Frame(to_host(crop)), quality=95))
        made.append(LadderPicture(path, to_host(restored)))
    return made


def _colours(frame: Frame) -> Tensor:
    """The colour channels that a file of the frame has, in host memory."""
    return to_host(frame.pixels).expand(frame.channels, -1, -1)
