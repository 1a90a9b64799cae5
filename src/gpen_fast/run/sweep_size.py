"""One size of `profile --sweep`, in a process of its own, so that the peak of memory is that size's."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from gpen_fast.device.pillow import lift_pillow_limit
from gpen_fast.device.streams import to_host
from gpen_fast.errors import GenerateError, GpenError, reason
from gpen_fast.files import write_file
from gpen_fast.image.colour import to_8bit
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report
from gpen_fast.run.job import PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.profile_run import profile_picture
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.steps import RunsDone
from gpen_fast.settings import Settings
from gpen_fast.stages.aligned import crop_whole
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame


@dataclass(frozen=True)
class SizeTask:
    """What a process is to measure."""

    settings: Settings
    """The network of that size among them."""

    picture: Path
    """The picture, of any size."""

    runs: int
    """Counted runs."""

    warmup: int
    """Runs before these, after the first."""

    target_fps: float
    """Frames per second that count as live."""


@dataclass(frozen=True)
class SizeFailed:
    """Why a size could not be measured."""

    error: str
    """One line."""


# What the process sends: its progress, then one of the others.
SizeMessage = RunsDone | Report | SizeFailed


def measure_in_child(pipe: Connection, task: SizeTask) -> None:
    """Measures one size and sends what came of it: the function that the process runs.

    Args:
        pipe: Receives `SizeMessage`s.
        task: What is to be measured.
    """
    lift_pillow_limit()
    try:
        pipe.send(measured_size(task, _Sent(pipe, 1 + task.warmup + task.runs)))
    except BrokenPipeError:  # the parent has ended
        sys.exit(1)
    except (GpenError, OSError) as error:
        pipe.send(SizeFailed(reason(error, task.picture)))


def measured_size(task: SizeTask, progress: _Sent) -> Report:
    """Profiles the picture of one aligned face at the network's size.

    Args:
        task: What is to be measured.
        progress: Is told of each run.

    Raises:
        GpenError: The picture, the network or the device cannot be used.
        OSError: The picture cannot be read.
    """
    runtime = load_runtime(task.settings)
    with tempfile.TemporaryDirectory(prefix="gpen-fast-") as folder:
        picture = Path(folder) / "face.jpg"
        face = aligned_face(runtime, task.picture)
        write_file(picture, open_writer("jpg").encode(face, quality=95))
        report = profile_picture(
            runtime,
            picture,
            runs=task.runs,
            warmup=task.warmup,
            target_fps=task.target_fps,
            progress=progress,
        )
    if report.faces < report.images:
        raise GenerateError(
            f"{runtime.detector.name} finds no face in the picture at {runtime.size} x {runtime.size} pixels. "
            "Try another picture, or --skip-detect if it is an aligned face."
        )
    return report


def aligned_face(runtime: Runtime, picture: Path) -> Frame:
    """The largest face of a picture as an aligned one of the network's size; the whole picture where it has none.

    Args:
        runtime: What detects and aligns.
        picture: The file.
    """
    pipeline = Pipeline(runtime, Clock(Recorder()))
    detected = pipeline.detect_now(pipeline.load(PictureSource(0, picture)))
    largest = sorted(detected.faces, key=lambda face: face.area)[-1:]
    crops = pipeline.crop(replace(detected, faces=tuple(largest))).crops if largest else None
    pixels = (crops or crop_whole(detected.frame, runtime.size)).pixels[0]
    return Frame(torch.from_numpy(to_8bit(to_host(pixels).numpy())))


class _Sent:
    """Sends how far the runs are."""

    def __init__(self, pipe: Connection, of: int) -> None:
        self._pipe, self._of = pipe, of

    def ran(self, number: int, ms: float) -> None:
        """The run of that number has ended."""
        self._pipe.send(RunsDone(number, self._of))

    def failed(self, path: Path, why: str) -> None:
        """Never told: the only picture raises its error."""
