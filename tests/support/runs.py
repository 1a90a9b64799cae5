"""Small pictures, pipelines and engines for them, and a detector for batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from helpers import write_photo

from gpen_fast.errors import PictureError
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.ahead import NoPicture
from gpen_fast.run.engine import Engine
from gpen_fast.run.job import Detected, Failed, Loaded, Pasted
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.plan import Plan
from gpen_fast.run.runtime import Runtime
from gpen_fast.types import Face, Frame

# The error text with which torch reports a lost GPU.
LOST = "CUDA error: an illegal memory access was encountered\nCompile with ..."


def pipeline_of(runtime: Runtime) -> Pipeline:
    return Pipeline(runtime, Clock(Recorder()))


def engine_of(runtime: Runtime, in_flight: int = 0) -> Engine:
    return Engine(pipeline_of(runtime), readers=2, writers=2, most_in_flight=in_flight)


class ReadyPictures:
    """Pictures that are read already, as a worker takes them."""

    def __init__(self, pictures: Iterable[Loaded | Detected | Failed]) -> None:
        self._pictures = iter(pictures)

    def take(self, *, held_up: bool) -> Loaded | Detected | Failed | NoPicture:
        return next(self._pictures, NoPicture.LEFT)


def pictures(folder: Path, count: int) -> list[Path]:
    return [write_photo(folder / f"{i:02d}.png", seed=i) for i in range(count)]


def kept(picture: Pasted) -> Pasted:
    """Stands in for a writer and writes nothing."""
    return picture


def error_of(done: object) -> Exception | None:
    return done.error if isinstance(done, Failed) else None


def pairs(made: Plan) -> dict[str, str]:
    """Returns source -> target of every picture that the plan restores."""
    return {str(item.source): str(item.target) for item in made.todo}


class BatchDetector:
    """Detects one face in each picture of a batch, on the device; refuses a batch with a picture 50 pixels wide."""

    name, on_host, threshold, bound, weights = "batch", False, 0.5, None, None
    box_points = np.full((5, 2), 0.5) + np.array(
        [[-0.2, -0.2], [0.2, -0.2], [0, 0], [-0.15, 0.2], [0.15, 0.2]]
    )
    batch_size = 4

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, frame: Frame) -> list[Face]:
        return self.many([frame])[0]

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        self.calls.append(len(frames))
        if any(frame.width == 50 for frame in frames):
            raise PictureError("no room")
        return [[Face((5.0, 5.0, 45.0, 45.0), 0.9)] for _ in frames]
