"""The pictures of a run that are under way, between their source and the caller.

sources -> RunWindow -> ReadAhead (one a worker) -> worker -> writers -> RunWindow -> caller
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

from gpen_fast.run.job import PictureSource

_Result = TypeVar("_Result")

# Takes what a result's future raised; True if it gave the picture to another worker.
Rescue = Callable[[Exception], bool]
# Seconds after which a waiting thread looks whether the run was stopped: a signal handler must not take a lock to tell.
LOOK_S = 0.1


class RunWindow(Generic[_Result]):
    """The pictures of a run that are under way, and their results in input order. Several threads use it.

    The caller's thread takes sources, a few at a time, and results; workers take sources and give results back. A
    picture counts from the moment when its source is taken until the caller has its result.
    """

    def __init__(
        self,
        sources: Iterable[PictureSource],
        *,
        most_pictures: int,
        most_bytes: int,
        stopped: threading.Event,
    ) -> None:
        """Takes no source yet.

        Args:
            sources: Pictures in input order.
            most_pictures: Pictures that may be under way, 1 and up. It is also how far one may overtake another.
            most_bytes: Bytes of pixels that these may have. The first picture under way is read whatever its size.
            stopped: Once it is set, no further source is taken; what no worker has begun to read is left out.
        """
        self._sources = iter(sources)
        self._most_pictures = most_pictures
        self._most_bytes = most_bytes
        self._stopped = stopped
        self._changed = threading.Condition()
        self._unread: deque[PictureSource] = deque()
        # Index -> bytes, in input order. A picture that is not read yet counts as the largest of the last few.
        self._under_way: dict[int, int] = {}
        self._results: dict[int, tuple[Future[_Result], Rescue]] = {}
        self._recent: deque[int] = deque([0], maxlen=4)
        self._all_taken = False
        self._error: BaseException | None = None

    def results(self) -> Iterator[_Result]:
        """The results in input order, as soon as each is there. Takes the sources, in the calling thread.

        Raises:
            BaseException: What `fail` was given, what a result's future raises, or what the sources raise.
        """
        while True:
            self._take_sources()
            first = self._first_result()
            if first is None:
                return
            index, future, rescue = first
            try:
                value = [future.result()]
            except Exception as error:  # broad: only the rescue knows what it can mend
                if not rescue(error):
                    raise
                continue
            self._forget_result(index)
            del first, future
            yield value.pop()  # nothing here holds the pixels while the caller has them
            self.leave_out(index)

    def source(self) -> PictureSource | None:
        """The next picture to read; None if there is none, or none that there is room for."""
        with self._changed:
            if not self._unread or self._stopped.is_set() or self._error:
                return None
            index = self._unread[0].index
            held = sum(self._under_way.values())
            if held + max(self._recent) > self._most_bytes and index != next(iter(self._under_way)):
                return None
            self._under_way[index] = max(self._recent)
            return self._unread.popleft()

    def weigh(self, index: int, pixel_bytes: int) -> None:
        """Notes how many bytes a picture has, once it is read."""
        with self._changed:
            if index in self._under_way:
                self._under_way[index] = pixel_bytes
            self._recent.append(pixel_bytes)
            self._changed.notify_all()

    def put(self, index: int, result: Future[_Result], rescue: Rescue = lambda error: False) -> None:
        """Takes the result of a picture, once it is being made.

        Args:
            index: The picture's.
            result: Will hold its result.
            rescue: Is asked where `result` raises; False raises it to the caller.
        """
        with self._changed:
            self._results[index] = result, rescue
            self._changed.notify_all()

    def put_back(self, sources: Iterable[PictureSource]) -> None:
        """Gives pictures whose worker failed to the others, before all that are unread."""
        with self._changed:
            for source in sorted(sources, key=lambda each: each.index, reverse=True):
                self._results.pop(source.index, None)
                self._under_way[source.index] = 0
                self._unread.appendleft(source)
            self._changed.notify_all()

    def leave_out(self, index: int) -> None:
        """Forgets a picture: the caller has its result, or the run has failed."""
        with self._changed:
            self._under_way.pop(index, None)
            self._results.pop(index, None)
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Ends the run: workers find no more pictures, and `results` raises the error."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    @property
    def has_failed(self) -> bool:
        """See `Supply`."""
        with self._changed:
            return self._error is not None

    @property
    def is_over(self) -> bool:
        """Whether no picture will come any more, not even from a worker that fails later."""
        with self._changed:
            if self._error or self._stopped.is_set():
                return True
            return self._all_taken and not self._under_way

    @property
    def is_writing(self) -> bool:
        """See `Supply`."""
        with self._changed:
            return bool(self._results)

    @property
    def depths(self) -> dict[str, dict[str, float]]:
        """How many pictures, bytes of their pixels, and results are under way at the moment."""
        with self._changed:
            held = sum(self._under_way.values()) / 2**20
            return {
                "under way": {"pictures": len(self._under_way), "MiB": held},
                "waiting": {"results": len(self._results)},
            }

    def wait_for_change(self) -> None:
        """Waits until something may have changed, for a tenth of a second at most."""
        with self._changed:
            self._changed.wait(LOOK_S)

    def _forget_result(self, index: int) -> None:
        with self._changed:
            self._results.pop(index, None)

    def _take_sources(self) -> None:
        """Takes a source, and more until as many are under way as may be, or the next result is there.

        Sources may come slowly, as a camera's frames do: results do not wait for them.
        """
        taken = False
        while not self._all_taken and not self._stopped.is_set():
            with self._changed:
                if len(self._under_way) >= self._most_pictures or (taken and self._next_is_done()):
                    return
            taken = True
            # Without the lock: an iterable may wait for its next item.
            source = next(self._sources, None)
            with self._changed:
                if source is None:
                    self._all_taken = True
                else:
                    self._under_way[source.index] = 0
                    self._unread.append(source)
                self._changed.notify_all()

    def _next_is_done(self) -> bool:
        """Whether the result of the first picture under way is there. The caller holds the lock."""
        first = self._results.get(next(iter(self._under_way), -1))
        return first is not None and first[0].done()

    def _first_result(self) -> tuple[int, Future[_Result], Rescue] | None:
        """The result of the first picture under way, once it is there; None if no picture is under way any more."""
        with self._changed:
            while True:
                if self._error:
                    raise self._error
                if self._stopped.is_set():
                    while self._unread:
                        self._under_way.pop(self._unread.popleft().index)
                if not self._under_way:
                    return None
                first = next(iter(self._under_way))
                if first in self._results:
                    return first, *self._results[first]
                self._changed.wait(LOOK_S)
