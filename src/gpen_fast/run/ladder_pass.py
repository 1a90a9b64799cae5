"""One pass over the pictures in a row's way of running: one after the other, saving beside, or all overlapped."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import cv2

from gpen_fast.device.streams import to_host
from gpen_fast.device.threads import limited_thread_pool
from gpen_fast.errors import PictureError
from gpen_fast.files import write_file
from gpen_fast.image.convert import to_array
from gpen_fast.run.engine import Engine
from gpen_fast.run.job import Failed, Pasted, PictureSource
from gpen_fast.run.ladder_steps import Encoder, Overlap
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame

# Threads of the asynchronous save: a second one helps where a file takes longer than the network.
_WRITERS = 2
# Results that wait for a writer at most: their pixels are in memory.
_MOST_UNDER_WAY = 4
_Write = Callable[[Pasted], None]


def run_pass(
    pipeline: Pipeline,
    sources: Sequence[PictureSource],
    folder: Path,
    *,
    encoder: Encoder,
    overlap: Overlap,
    stopped: threading.Event,
) -> None:
    """Restores the pictures and writes each as PNG.

    Args:
        pipeline: The verbs.
        sources: The pictures; `index` is the place of each.
        folder: Where the results go: see `result_path`.
        encoder: What makes the PNG.
        overlap: What runs beside the work on other pictures.
        stopped: Once it is set, no further picture is taken.

    Raises:
        GpenError: A picture cannot be restored or written.
        OSError: A file cannot be read or written.
    """

    def write(picture: Pasted) -> None:
        _WRITE[encoder](picture.result, result_path(folder, picture.source.index))

    def taken() -> Iterator[PictureSource]:
        for source in sources:
            if stopped.is_set():
                return
            yield source

    _RUN[overlap](pipeline, taken(), write)


def result_path(folder: Path, index: int) -> Path:
    """The file of the result of the source with that index."""
    return folder / f"{index}.png"


def _one_by_one(pipeline: Pipeline, sources: Iterator[PictureSource], write: _Write) -> None:
    for source in sources:
        pipeline.save(pipeline.restore(source), write)


def _saving_beside(pipeline: Pipeline, sources: Iterator[PictureSource], write: _Write) -> None:
    under_way: deque[Future[object]] = deque()
    # With torch on one core each: on a CPU the network needs the others.
    with limited_thread_pool(_WRITERS, torch_threads=1) as writers:
        for source in sources:
            under_way.append(writers.submit(pipeline.save, pipeline.restore(source), write))
            if len(under_way) > _MOST_UNDER_WAY:
                under_way.popleft().result()
        for saving in under_way:
            saving.result()


def _all_overlapped(pipeline: Pipeline, sources: Iterator[PictureSource], write: _Write) -> None:
    for done in Engine(pipeline).run(sources, lambda picture: pipeline.save(picture, write)):
        if isinstance(done, Failed):
            raise done.error


def _write_by_opencv(frame: Frame, path: Path) -> None:
    """The published way: the picture as a BGR array through cv2.imwrite, at its default level."""
    pixels = to_array(replace(frame, alpha=None))
    if not cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels):
        raise PictureError(f"cv2.imwrite could not write {path}.")


def _write_on_host(frame: Frame, path: Path) -> None:
    alpha = None if frame.alpha is None else to_host(frame.alpha)
    _write_in_place(replace(frame, pixels=to_host(frame.pixels), alpha=alpha), path)


def _write_in_place(frame: Frame, path: Path) -> None:
    """By this package's encoder, which works where the pixels are."""
    write_file(path, open_writer("png").encode(frame, quality=95))


_RUN: Mapping[Overlap, Callable[[Pipeline, Iterator[PictureSource], _Write], None]] = {
    "none": _one_by_one,
    "save": _saving_beside,
    "all": _all_overlapped,
}
_WRITE: Mapping[Encoder, Callable[[Frame, Path], None]] = {
    "opencv": _write_by_opencv,
    "host": _write_on_host,
    "device": _write_in_place,
}
