"""Many pictures at once: readers, one device worker (the caller's thread) and writers over the pipeline's verbs.

Every queue between them is bounded. A picture that fails carries its error; a failure of the device or of the
network stops the run.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gpen_fast.device.failures import Reach, device_failures_named, reach_of
from gpen_fast.device.malloc import give_back_freed_memory
from gpen_fast.device.streams import own_stream, record_event, wait_event, worker_stream
from gpen_fast.run.pipeline import Batch, Job, Pipeline
from gpen_fast.stages.detect.base import batch_size

# Pictures without faces do not fill a batch; so many of them may wait for one that does.
_MOST_IN_GROUP = 8
# Nor may they hold more than this together.
_MOST_PIXELS_IN_GROUP = 64_000_000
# A picture from this size up takes far longer than giving back the memory that it took.
_LARGE = 8_000_000


class Engine:
    """Runs jobs through a pipeline, overlapped, and yields them in input order."""

    def __init__(self, pipeline: Pipeline, *, readers: int | None = None, writers: int | None = None) -> None:
        helpers = max(1, min(4, os.cpu_count() or 1))
        self.readers = readers or helpers
        self.writers = writers or helpers
        self._pipeline = pipeline
        self._device = pipeline.runtime.device
        # A device works on while the host prepares the next batch; a CPU would only answer later.
        self._most_flying = 1 if self._device.type == "cuda" else 0
        self._stopped = threading.Event()
        self._stream: Any = None

    def stop(self) -> None:
        """Takes no further pictures; those already in the network are finished and yielded."""
        self._stopped.set()

    def run(self, sources: Iterable[Any], finish: Callable[[Job], None]) -> Iterator[Job]:
        """Every source as a finished job, failures with `error`. `finish` runs in a writer's thread.

        Raises DeviceError where the device fails, at once, and whatever else the network raises for every picture.
        """
        with device_failures_named("the run"):
            yield from self._run(sources, finish)

    def _run(self, sources: Iterable[Any], finish: Callable[[Job], None]) -> Iterator[Job]:
        self._stream = worker_stream(self._device)
        readers = ThreadPoolExecutor(self.readers, "gpen-fast-reader")
        writers = ThreadPoolExecutor(self.writers, "gpen-fast-writer")
        try:
            finishing: deque[Future[Job]] = deque()
            for job in self._worked(self._read_ahead(readers, sources)):
                finishing.append(writers.submit(self._finish, job, record_event(self._device), finish))
                while finishing and (finishing[0].done() or len(finishing) > 2 * self.writers):
                    yield finishing.popleft().result()
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
        with own_stream(self._device, self._stream):
            _attempt(job, self._pipeline.read)
        return job

    def _worked(self, jobs: Iterator[Job]) -> Iterator[Job]:
        flying: deque[tuple[list[Job], Batch | None]] = deque()
        for group in self._groups(jobs):
            flying.append((group, self._launched(group)))
            while len(flying) > self._most_flying:
                yield from self._landed(*flying.popleft())
        while flying:
            yield from self._landed(*flying.popleft())

    def _groups(self, jobs: Iterator[Job]) -> Iterator[list[Job]]:
        """Pictures in input order, enough of them to fill a batch with their faces."""
        group: list[Job] = []
        for job in self._searched(jobs):
            _attempt(job, self._pipeline.cut)
            group.append(job)
            if self._is_full(group):
                yield group
                group = []
        if group:
            yield group

    def _searched(self, jobs: Iterator[Job]) -> Iterator[Job]:
        """Pictures in input order with their faces found, as many in one call as the detector likes."""
        waiting: list[Job] = []
        for job in jobs:
            waiting.append(job)
            if not self._waits(waiting):
                yield from self._detected(waiting)
                waiting = []
        yield from self._detected(waiting)

    def _waits(self, waiting: list[Job]) -> bool:
        blank = [job for job in waiting if job.found is None and not job.error]
        if not blank or len(waiting) >= _MOST_IN_GROUP or _pixels(waiting) >= _MOST_PIXELS_IN_GROUP:
            return False
        return len(blank) < batch_size(self._pipeline.runtime.detector)

    def _detected(self, jobs: list[Job]) -> list[Job]:
        """One by one where the call for all fails; then each failure stays with its picture, in `cut`."""
        try:
            self._pipeline.detect([job for job in jobs if not job.error])
        except Exception as error:
            if reach_of(error) is Reach.RUN:
                raise
        return jobs

    def _is_full(self, group: list[Job]) -> bool:
        faces = sum(len(job.crops) for job in group if job.crops)
        enough = faces >= self._pipeline.runtime.generator.batch_size
        return enough or len(group) >= _MOST_IN_GROUP or _pixels(group) >= _MOST_PIXELS_IN_GROUP

    def _launched(self, group: list[Job]) -> Batch | None:
        """The group's network call; None where it does not fit into memory, to be tried job by job."""
        try:
            return self._pipeline.launch([job for job in group if not job.error])
        except Exception as error:
            if reach_of(error, in_network=True) is Reach.RUN:
                raise
            return None

    def _landed(self, group: list[Job], batch: Batch | None) -> Iterator[Job]:
        try:
            self._pipeline.settle(batch)
        except Exception as error:
            if reach_of(error, in_network=True) is Reach.RUN:
                raise
        for job in group:
            # Whatever the group's call did not give, a call of its own may.
            if not job.error and job.crops and len(job.crops) != len(job.restored):
                self._alone(job)
            _attempt(job, self._pipeline.paste)
            yield job

    def _alone(self, job: Job) -> None:
        try:
            self._pipeline.settle(self._pipeline.launch([job]))
        except Exception as error:
            if reach_of(error, in_network=True) is Reach.RUN:
                raise
            job.fail(error)

    def _finish(self, job: Job, pasted: Any, finish: Callable[[Job], None]) -> Job:
        large = _pixels([job]) >= _LARGE
        with own_stream(self._device, self._stream):
            wait_event(pasted, self._device)
            _attempt(job, finish)
        if large:
            give_back_freed_memory()
        return job


def _pixels(jobs: list[Job]) -> int:
    return sum(job.frame.width * job.frame.height for job in jobs if job.frame)


def _attempt(job: Job, verb: Callable[[Job], None]) -> None:
    """Runs a verb unless the job has failed; what goes wrong with one picture stays with it."""
    if job.error:
        return
    try:
        verb(job)
    except Exception as error:
        if reach_of(error) is Reach.RUN:
            raise
        job.fail(error)
