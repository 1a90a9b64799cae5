"""Many pictures at once: readers, one device worker (the caller's thread) and writers over the pipeline's verbs.

Every queue between them is bounded. A picture that fails carries its error; anything else stops all.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gpen_fast.device import mark, own_stream, wait_for
from gpen_fast.pipeline import Batch, Job, Pipeline

# Pictures without faces do not fill a batch; so many of them may wait for one that does.
_MOST_IN_GROUP = 8


class Engine:
    """Runs jobs through a pipeline, overlapped, and yields them in input order."""

    def __init__(self, pipeline: Pipeline, *, readers: int | None = None, writers: int | None = None) -> None:
        helpers = max(1, min(4, os.cpu_count() or 1))
        self.readers = readers or helpers
        self.writers = writers or helpers
        self._pipeline = pipeline
        self._device = pipeline.tools.device
        # A device works on while the host prepares the next batch; a CPU would only answer later.
        self._most_flying = 1 if self._device.type == "cuda" else 0
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Takes no further pictures; those already in the network are finished and yielded."""
        self._stopped.set()

    def run(self, sources: Iterable[Any], finish: Callable[[Job], None]) -> Iterator[Job]:
        """Every source as a finished job, failures with `error`. `finish` runs in a writer's thread."""
        readers = ThreadPoolExecutor(self.readers, "gpen-fast-reader")
        writers = ThreadPoolExecutor(self.writers, "gpen-fast-writer")
        try:
            finishing: deque[Future[Job]] = deque()
            for job in self._worked(self._read_ahead(readers, sources)):
                finishing.append(writers.submit(self._finish, job, mark(self._device), finish))
                while finishing[0].done() or len(finishing) > 2 * self.writers:
                    yield finishing.popleft().result()
                    if not finishing:
                        break
            while finishing:
                yield finishing.popleft().result()
        finally:
            readers.shutdown(cancel_futures=True)
            writers.shutdown()

    def _read_ahead(self, pool: ThreadPoolExecutor, sources: Iterable[Any]) -> Iterator[Job]:
        window: deque[Future[Job]] = deque()
        for source in sources:
            if self._stopped.is_set():
                return
            window.append(pool.submit(self._read, source))
            if len(window) > self.readers:
                yield window.popleft().result()
        while window and not self._stopped.is_set():
            yield window.popleft().result()

    def _read(self, source: Any) -> Job:
        job = Job(source)
        with own_stream(self._device):
            _attempt(job, self._pipeline.read)
        return job

    def _worked(self, jobs: Iterator[Job]) -> Iterator[Job]:
        flying: deque[tuple[list[Job], Batch | None]] = deque()
        for group in self._groups(jobs):
            flying.append((group, self._pipeline.launch([job for job in group if not job.error])))
            while len(flying) > self._most_flying:
                yield from self._landed(*flying.popleft())
        while flying:
            yield from self._landed(*flying.popleft())

    def _groups(self, jobs: Iterator[Job]) -> Iterator[list[Job]]:
        """Pictures in input order, enough of them to fill a batch with their faces."""
        group: list[Job] = []
        faces = 0
        for job in jobs:
            _attempt(job, self._pipeline.cut)
            group.append(job)
            faces += len(job.crops) if job.crops else 0
            if faces >= self._pipeline.tools.generator.batch_size or len(group) >= _MOST_IN_GROUP:
                yield group
                group, faces = [], 0
        if group:
            yield group

    def _landed(self, group: list[Job], batch: Batch | None) -> Iterator[Job]:
        self._pipeline.settle(batch)
        for job in group:
            _attempt(job, self._pipeline.paste)
            yield job

    def _finish(self, job: Job, pasted: Any, finish: Callable[[Job], None]) -> Job:
        with own_stream(self._device):
            wait_for(pasted, self._device)
            _attempt(job, finish)
        return job


def _attempt(job: Job, verb: Callable[[Job], None]) -> None:
    """Runs a verb unless the job has failed; whatever goes wrong with one picture stays with it."""
    if job.error:
        return
    try:
        verb(job)
    except Exception as error:
        job.error = error
