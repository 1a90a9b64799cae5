"""What each process on a CPU does: restores the pictures that its parent gives it, from file to file."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import NamedTuple, Protocol

from gpen_fast.errors import GenerateError, summary
from gpen_fast.run.ahead import ReadAhead
from gpen_fast.run.crew import WAITS, pixel_bytes
from gpen_fast.run.job import Failed, Finished, Pasted, PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.window import LOOK_S
from gpen_fast.run.workers import Parcel, Read, Worker

# Pictures that are read ahead, beside the one that is handed out.
_AHEAD = 2


class Aside(Protocol):
    """What a run notes beside its results: times, counts, faces. Children note it, and the parent adds it up."""

    def begin(self) -> None:
        """In a child: starts to note."""

    def noted(self) -> object:
        """In a child: what was noted since the last call; it is pickled."""

    def add(self, noted: object) -> None:
        """In the parent: adds what a child noted."""


class LaneMessage(NamedTuple):
    """What a child sends for each picture, or when it cannot go on."""

    done: Finished | Failed | Exception
    """The picture's end; an exception ends the run."""
    noted: object
    """Of `Aside`."""
    waited_ns: dict[str, int]
    """How long the child waited so far, by the stage that it waited for."""


class LaneWork:
    """Restores pictures in a forked child.

    Args:
        pipeline: The verbs, on the CPU.
        write: Called with each restored picture.
        settle: Called with each picture that failed.
        aside: What is noted beside the results.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        write: Callable[[Pasted], Finished],
        settle: Callable[[Failed], None],
        aside: Aside,
    ) -> None:
        self._pipeline = pipeline
        self._write = write
        self._settle = settle
        self._aside = aside
        self._sending = threading.Lock()
        self._waited_ns = dict.fromkeys(WAITS, 0)

    def serve(self, pipe: Connection) -> None:
        """Restores the pictures that come through the pipe, and sends back what became of them, until None comes."""
        given = _Given(pipe)
        self._aside.begin()
        readers, writers = ThreadPoolExecutor(1, "reader"), ThreadPoolExecutor(1, "writer")
        worker = Worker(self._pipeline)
        reads: ReadAhead[Read] = ReadAhead(
            given,
            lambda source: readers.submit(worker.read, source),
            pixel_bytes,
            self._waited_ns,
            ahead=_AHEAD,
            told=self._pipeline.clock.waited,
        )
        try:
            for parcel in worker.work(reads):
                reads.handed_on(parcel.index)
                writers.submit(self._finish, worker, parcel, given)
        except Exception as error:  # broad: the parent raises it
            self._send(error, given)
        except SystemExit:
            # What is being written is written whole; nothing else is begun.
            writers.shutdown(cancel_futures=True)
            raise
        writers.shutdown()

    def _finish(self, worker: Worker, parcel: Parcel, given: _Given) -> None:
        """Writes a picture and sends what became of it, in the writer's thread."""
        try:
            done = worker.finish(parcel, self._write)
            if isinstance(done, Failed):
                self._settle(done)
            self._send(done, given)
        except Exception as error:  # broad: the parent raises it
            self._send(error, given)

    def _send(self, done: Finished | Failed | Exception, given: _Given) -> None:
        with self._sending:
            message = LaneMessage(done, self._aside.noted(), self._waited_ns)
            given.send(_pickled(message))


class _Given:
    """The pictures that the parent gives a child: see `Supply`."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._ended = False
        # Pictures that were given and whose results are not sent.
        self._has = 0

    @property
    def is_over(self) -> bool:
        """See `Supply`: the parent says so once it has the results of all."""
        return self._ended

    @property
    def has_failed(self) -> bool:
        """See `Supply`: a parent that fails interrupts its children."""
        return False

    @property
    def is_writing(self) -> bool:
        """See `Supply`: asked when the worker has no picture, so that those in the child are at its writer."""
        return self._has > 0

    def source(self) -> PictureSource | None:
        """See `Supply`."""
        if self._ended or not self._pipe.poll():
            return None
        source: PictureSource | None = self._pipe.recv()
        self._ended = source is None
        self._has += source is not None
        return source

    def send(self, message: bytes) -> None:
        """Sends the end of one picture."""
        self._pipe.send_bytes(message)
        self._has -= 1

    def weigh(self, index: int, pixel_bytes: int) -> None:
        """See `Supply`: the parent bounds what a child has by its number."""

    def leave_out(self, index: int) -> None:
        """See `Supply`."""

    def wait_for_change(self) -> None:
        """See `Supply`."""
        self._pipe.poll(LOOK_S)


def _pickled(message: LaneMessage) -> bytes:
    """The message; an error that cannot be pickled is replaced by one with its text."""
    try:
        data = pickle.dumps(message)
        if not isinstance(message.done, Finished):
            pickle.loads(data)
    except Exception:  # broad: whatever an exception's own methods raise
        done = message.done
        if isinstance(done, Failed):
            done = Failed(done.source, GenerateError(summary(done.error)), done.timing)
        elif isinstance(done, Exception):
            done = GenerateError(summary(done))
        return pickle.dumps(message._replace(done=done))
    return data
