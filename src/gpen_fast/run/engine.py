"""Many pictures at once: readers, a worker on its device, and writers, overlapped.

    sources -> readers (threads) -> ReadQueue -> worker -> writers (threads) -> OrderedResults -> caller

Every queue is bounded. A picture that fails is handed on as `Failed`; an error that ends the run stops everything and
is raised. The worker runs in the caller's thread. Workers on several devices would each run `Worker.work` over the
same ReadQueue in a thread of their own and pass their parcels to this one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from gpen_fast.device.failures import device_failures_named
from gpen_fast.run.channels import OrderedResults, ReadQueue
from gpen_fast.run.job import Failed, Pasted, PictureSource, Written
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.workers import Worker

# Threads that read, and as many that write: more than this gained nothing on the machines that were measured.
_MOST_HELPERS = 4


class Engine:
    """Runs pictures through a pipeline and yields what became of them, in input order."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        readers: int | None = None,
        writers: int | None = None,
        most_in_flight: int | None = None,
        stopped: threading.Event | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            pipeline: The verbs on the device that does the work.
            readers: Threads that read; None: one for each processor core, 4 at most. As many pictures are read ahead.
            writers: Threads that write; None: likewise. Twice as many results wait at most.
            most_in_flight: See `Worker`.
            stopped: What `stop` sets; another thread or a signal handler may set it too.
        """
        helpers = max(1, min(_MOST_HELPERS, os.cpu_count() or 1))
        self.readers = readers or helpers
        self.writers = writers or helpers
        self._pipeline = pipeline
        self._most_in_flight = most_in_flight
        self._stopped = stopped or threading.Event()

    def stop(self) -> None:
        """Takes no further pictures; those in the network are finished and yielded."""
        self._stopped.set()

    def run(
        self, sources: Iterable[PictureSource], write: Callable[[Pasted], Written]
    ) -> Iterator[Written | Failed]:
        """Restores every source.

        Args:
            sources: Pictures whose `index` is their position. They are taken a few at a time.
            write: Called with each restored picture, in a writer's thread. It must keep no pixels that the caller
                does not need.

        Yields:
            What `write` returned, or the failed picture, in input order.

        Raises:
            DeviceError: The device failed. The run ends at once; pictures being written are finished.
            Exception: Whatever else the network raises for every picture, or `sources` itself.
        """
        with device_failures_named("the run"):
            yield from self._run(sources, write)

    def _run(
        self, sources: Iterable[PictureSource], write: Callable[[Pasted], Written]
    ) -> Iterator[Written | Failed]:
        worker = Worker(self._pipeline, most_in_flight=self._most_in_flight)
        readers = ThreadPoolExecutor(self.readers, "gpen-fast-reader")
        writers = ThreadPoolExecutor(self.writers, "gpen-fast-writer")
        results: OrderedResults[Written | Failed] = OrderedResults(2 * self.writers)
        try:
            queue = ReadQueue(
                sources,
                lambda source: readers.submit(worker.read, source),
                ahead=self.readers,
                stopped=self._stopped,
            )
            for parcel in worker.work(queue):
                results.put(parcel.index, writers.submit(worker.finish, parcel, write))
                yield from results.ready()
            yield from results.rest()
        finally:
            readers.shutdown(cancel_futures=True)
            writers.shutdown()
