"""The workers of a run, each in a thread of its own; one whose device fails leaves its pictures to the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Generic

from gpen_fast.device.failures import device_failures_named, is_device_failure
from gpen_fast.device.streams import current_device_is
from gpen_fast.errors import DeviceError
from gpen_fast.run.ahead import ReadAhead
from gpen_fast.run.job import Failed, Pasted, PictureSource, Written
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.window import RunWindow
from gpen_fast.run.workers import Parcel, Read, Worker

# What a worker waits for.
WAITS = ("load", "save")


@dataclass(eq=False)
class Member:
    """One device, or one core of a CPU, and what it did in a run."""

    name: str
    """cuda:0, or cpu:0 for the first of several processes on a CPU."""

    pictures: int = 0
    """Pictures that it handed to the writers, failed ones among them."""

    faces: int = 0
    """Faces that it restored."""

    waited_ns: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAITS, 0))
    """How long it waited for readers and for writers, by the stage that these run."""

    worked_ns: int = 0
    """From the start of the run until it handed on its last picture."""

    error: str = ""
    """Why it stopped before the end, in one line; empty where it did not."""


@dataclass(frozen=True)
class CrewLimits:
    """How much of a run may wait."""

    ahead: int
    """Pictures that each worker has read ahead."""

    unwritten: int
    """Results that wait for a writer, or are being written, at most."""

    in_flight: int | None
    """See `Worker`."""


class Crew(Generic[Written]):
    """Runs a worker for each member over one window.

    Args:
        pipelines: The verbs on each device.
        members: What is counted of each, in the same order.
        window: The pictures of the run.
        readers: Threads that read.
        writers: Threads that write.
        limits: How much may wait.
        write: Takes each restored picture.
    """

    def __init__(
        self,
        pipelines: Sequence[Pipeline],
        members: Sequence[Member],
        window: RunWindow[Written | Failed],
        readers: ThreadPoolExecutor,
        writers: ThreadPoolExecutor,
        limits: CrewLimits,
        write: Callable[[Pasted], Written],
    ) -> None:
        self._pipelines = pipelines
        self._members = members
        self._window = window
        self._readers = readers
        self._writers = writers
        self._limits = limits
        self._room = threading.Semaphore(limits.unwritten)
        self._write = write
        self._lock = threading.Lock()
        self._began_ns = 0
        self._threads = ThreadPoolExecutor(len(pipelines), "gpen-fast-worker")

    def begin(self) -> None:
        """Starts the workers. An error that ends the run goes to the window."""
        self._began_ns = time.perf_counter_ns()
        for pipeline, member in zip(self._pipelines, self._members, strict=True):
            self._threads.submit(self._serve, pipeline, member)

    def wait(self) -> None:
        """Waits until every worker has ended: the window is over, or has failed."""
        self._threads.shutdown()

    def _serve(self, pipeline: Pipeline, member: Member) -> None:
        """One worker's thread, from its first picture to its last."""
        try:
            with current_device_is(pipeline.runtime.device):
                self._work(pipeline, member)
        except BaseException as error:  # broad: the caller's thread raises it
            self._window.fail(error)

    def _work(self, pipeline: Pipeline, member: Member) -> None:
        worker = Worker(pipeline, most_in_flight=self._limits.in_flight)

        def read(source: PictureSource) -> Future[Read]:
            return self._readers.submit(worker.read, source)

        reads: ReadAhead[Read] = ReadAhead(
            self._window,
            read,
            pixel_bytes,
            member.waited_ns,
            ahead=self._limits.ahead,
            told=pipeline.clock.waited,
        )
        try:
            with device_failures_named("the run"):
                for parcel in worker.work(reads):
                    if member.error:
                        break  # a writer met the failure of its device
                    source = reads.handed_on(parcel.index)
                    self._wait_for_writers(pipeline, member)
                    self._hand_on(worker, member, parcel, source)
        except Exception as error:  # broad: `_left_to_others` decides
            if not self._left_to_others(member, reads.in_hand, error):
                raise
        else:
            self._window.put_back(reads.in_hand)

    def _wait_for_writers(self, pipeline: Pipeline, member: Member) -> None:
        began = time.perf_counter_ns()
        self._room.acquire()
        now = time.perf_counter_ns()
        member.waited_ns["save"] += now - began
        pipeline.clock.waited("save", began, now)

    def _hand_on(self, worker: Worker, member: Member, parcel: Parcel, source: PictureSource) -> None:
        """Gives a picture to the writers, which have room."""
        member.worked_ns = time.perf_counter_ns() - self._began_ns
        member.pictures += 1
        member.faces += parcel.faces
        result = self._writers.submit(worker.finish, parcel, self._write)
        result.add_done_callback(lambda _: self._room.release())
        self._window.put(parcel.index, result, partial(self._left_to_others, member, [source]))

    def _left_to_others(self, member: Member, sources: Sequence[PictureSource], error: Exception) -> bool:
        """Whether others go on with a failed device's pictures; False where none is left, or no device failed."""
        if not (isinstance(error, DeviceError) or is_device_failure(error)):
            return False
        with self._lock:
            others = [each for each in self._members if each is not member and not each.error]
            if not others:
                return False
            member.error = member.error or str(error)
        self._window.put_back(sources)
        return True


def pixel_bytes(picture: Read) -> int:
    """Bytes of the pixels of a picture that was read; 0 for one that failed."""
    if isinstance(picture, Failed):
        return 0
    pixels, alpha = picture.frame.pixels, picture.frame.alpha
    return pixels.nbytes + (0 if alpha is None else alpha.nbytes)
