"""Runs in several processes without a command line: a writer of raw pixels, and notes of nothing but the process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from runs import pipeline_of

from gpen_fast.run.job import Failed, Finished, Pasted
from gpen_fast.run.lanes import Lanes
from gpen_fast.run.runtime import Runtime


class NoAside:
    """Notes the process of each picture."""

    def __init__(self) -> None:
        self.processes: list[int] = []

    def begin(self) -> None:
        """Nothing."""

    def noted(self) -> int:
        return os.getpid()

    def add(self, noted: object) -> None:
        assert isinstance(noted, int)
        self.processes.append(noted)


def saved(folder: Path) -> Callable[[Pasted], Finished]:
    """A writer whose file shows the result, and how many times it was written."""

    def write(picture: Pasted) -> Finished:
        with (folder / f"{picture.source.index}.bin").open("ab") as file:
            file.write(picture.result.pixels.numpy().tobytes())
        return Finished(picture.source, "restored", len(picture.faces))

    return write


def lanes_of(
    runtime: Runtime,
    write: Callable[[Pasted], Finished],
    *,
    settle: Callable[[Failed], None] = lambda failed: None,
    aside: NoAside | None = None,
    stopped: threading.Event | None = None,
) -> Lanes:
    return Lanes(pipeline_of(runtime), 2, write, settle, aside or NoAside(), stopped)
