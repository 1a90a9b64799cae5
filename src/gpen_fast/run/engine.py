"""Many pictures at once: readers, a worker on each device, and writers, overlapped.

    sources -> RunWindow -> readers (threads) -> a worker a device (threads) -> writers (threads) -> RunWindow -> caller

Every queue is bounded, in pictures and in bytes. A picture that fails is handed on as `Failed`; a device that fails
leaves its pictures to the others; any other error ends the run and is raised.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from gpen_fast.device.failures import device_failures_named
from gpen_fast.run.crew import Crew, CrewLimits, Member
from gpen_fast.run.job import Failed, Pasted, PictureSource, Written
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.window import RunWindow

# Threads that read, and as many that write: more than this gained nothing on the machines that were measured.
_MOST_HELPERS = 4
# Bytes of pixels of all pictures under way, as they were read; results take as much again.
_MOST_BYTES = 1 << 30


class Engine:
    """Runs pictures through one pipeline or several and yields what became of them, in input order."""

    def __init__(
        self,
        *pipelines: Pipeline,
        readers: int | None = None,
        writers: int | None = None,
        most_in_flight: int | None = None,
        most_bytes: int = _MOST_BYTES,
        most_pictures: int | None = None,
        stopped: threading.Event | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            *pipelines: The verbs on each device that does the work.
            readers: Threads that read; None: one for each processor core, 4 at most. As many pictures are read ahead
                for each device.
            writers: Threads that write; None: likewise. Twice as many results wait at most.
            most_in_flight: See `Worker`.
            most_bytes: Bytes of pixels that pictures under way may have. One picture may always be.
            most_pictures: Pictures that may be under way, from source to caller; at least as many as a batch has;
                None: as many as keep every thread busy.
            stopped: What `stop` sets; another thread or a signal handler may set it too.
        """
        helpers = max(1, min(_MOST_HELPERS, os.cpu_count() or 1))
        self.readers = readers or helpers
        self.writers = writers or helpers
        self.members = [Member(str(each.runtime.device)) for each in pipelines]
        """One a pipeline: what it did, and why it stopped if it failed."""
        self._pipelines = pipelines
        self._most_in_flight = most_in_flight
        self._most_bytes = most_bytes
        self._most_pictures = most_pictures or self._enough_pictures
        self._stopped = stopped or threading.Event()
        self._depths: Callable[[], dict[str, dict[str, float]]] = dict

    @property
    def depths(self) -> dict[str, dict[str, float]]:
        """See `Team`."""
        return self._depths()

    def stop(self) -> None:
        """Takes no further pictures; those that are read or being read are finished and yielded."""
        self._stopped.set()

    def run(
        self, sources: Iterable[PictureSource], write: Callable[[Pasted], Written]
    ) -> Iterator[Written | Failed]:
        """Restores every source.

        Args:
            sources: Pictures whose `index` is their position. They are taken a few at a time, in the calling thread.
            write: Called with each restored picture, in a writer's thread. It must keep no pixels that the caller
                does not need.

        Yields:
            What `write` returned, or the failed picture, in input order.

        Raises:
            DeviceError: Every device failed. The run ends at once; pictures being written are finished.
            Exception: Whatever else the network raises for every picture, or `sources` itself.
        """
        with device_failures_named("the run"):
            yield from self._run(sources, write)

    def _run(
        self, sources: Iterable[PictureSource], write: Callable[[Pasted], Written]
    ) -> Iterator[Written | Failed]:
        window: RunWindow[Written | Failed] = RunWindow(
            sources, most_pictures=self._most_pictures, most_bytes=self._most_bytes, stopped=self._stopped
        )
        self._depths = lambda: window.depths
        readers = ThreadPoolExecutor(self.readers, "gpen-fast-reader")
        writers = ThreadPoolExecutor(self.writers, "gpen-fast-writer")
        crew = Crew(
            self._pipelines,
            self.members,
            window,
            readers,
            writers,
            CrewLimits(self.readers, 2 * self.writers, self._most_in_flight),
            write,
        )
        crew.begin()
        try:
            yield from window.results()
        except BaseException as error:  # broad: whatever ends the run ends its threads
            window.fail(error)
            raise
        finally:
            readers.shutdown(cancel_futures=True)
            crew.wait()
            writers.shutdown()

    @property
    def _enough_pictures(self) -> int:
        """Twice what is read ahead, in batches and being written at the same time: so far may one overtake another."""
        batches = sum(2 * each.runtime.generator.batch_size for each in self._pipelines)
        return 2 * (self.readers * len(self._pipelines) + batches + 2 * self.writers)
