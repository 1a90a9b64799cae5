"""What one worker has read ahead of the pictures that it is given."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

from gpen_fast.run.job import PictureSource
from gpen_fast.run.window import LOOK_S

_Read = TypeVar("_Read")

# Seconds. Neither pictures that share a batch nor those behind it wait longer than this for one that is being read.
PATIENCE_S = 0.005


def _untold(cause: str, start_ns: int, end_ns: int) -> None:
    """Ignores a single wait: without a timeline only the sums are used."""


class NoPicture(Enum):
    """What a worker gets in place of a picture."""

    YET = auto()
    """None is read; others will be."""
    LEFT = auto()
    """None will come any more."""


class Supply(Protocol):
    """Where a worker's pictures come from."""

    @property
    def is_over(self) -> bool:
        """Whether no picture will come any more."""

    @property
    def has_failed(self) -> bool:
        """Whether nothing is to be restored any more, not even what is read."""

    @property
    def is_writing(self) -> bool:
        """Whether results are being written."""

    def source(self) -> PictureSource | None:
        """The next picture to read; None if there is none at the moment."""

    def weigh(self, index: int, pixel_bytes: int) -> None:
        """Notes how many bytes a picture has, once it is read."""

    def leave_out(self, index: int) -> None:
        """Forgets a picture that was taken and will not be restored."""

    def wait_for_change(self) -> None:
        """Waits until something may have changed, for a tenth of a second at most."""


class ReadAhead(Generic[_Read]):
    """What one worker has read ahead: pictures leave it as they are read, the earliest first. Used by one thread."""

    def __init__(
        self,
        supply: Supply,
        submit: Callable[[PictureSource], Future[_Read]],
        bytes_of: Callable[[_Read], int],
        waited_ns: dict[str, int],
        *,
        ahead: int,
        told: Callable[[str, int, int], None] = _untold,
    ) -> None:
        """Reads nothing yet.

        Args:
            supply: Where the pictures come from.
            submit: Starts to read a picture, in another thread.
            bytes_of: How many bytes a picture that was read holds.
            waited_ns: Is added to, by the stage that `take` waited for: load; or save, where results were being
                written and no picture was there to be read.
            ahead: Pictures that wait, at most, beside the one that is handed out.
            told: Is told of each wait: its cause, and when it began and ended. See `RecordedWait`.
        """
        self._supply = supply
        self._submit = submit
        self._bytes_of = bytes_of
        self._ahead = ahead
        self._told = told
        self._reading: deque[tuple[PictureSource, Future[_Read]]] = deque()
        self._in_hand: dict[int, PictureSource] = {}
        self.waited_ns = waited_ns

    @property
    def in_hand(self) -> list[PictureSource]:
        """The pictures that were taken and not handed on."""
        return list(self._in_hand.values())

    def handed_on(self, index: int) -> PictureSource:
        """Notes that the worker has given this picture away; returns its source."""
        return self._in_hand.pop(index)

    def take(self, *, held_up: bool) -> _Read | NoPicture:
        """The next picture that is read: the earliest, unless that one takes longer than others behind it.

        Args:
            held_up: Pictures wait for this one, to share a call with it: they must not wait long.

        Returns:
            The picture; or that none was read in time, which is so only with `held_up`; or that none will come.

        Raises:
            Exception: What the reader raised: the run, or this worker, ends.
        """
        overtaken_at = time.monotonic() + PATIENCE_S
        while True:
            self._read_on()
            if self._supply.has_failed or (self._supply.is_over and not self._reading):
                self._let_go()
                return NoPicture.LEFT
            late = time.monotonic() >= overtaken_at
            if picture := self._taken(self._reading if late else list(self._reading)[:1]):
                return picture[0]
            if held_up and (late or not self._reading):
                return NoPicture.YET
            if self._reading:
                self._wait_for_reader(None if late else overtaken_at)
            else:
                self._wait_for_room()

    def _read_on(self) -> None:
        while len(self._reading) <= self._ahead and (source := self._supply.source()):
            self._in_hand[source.index] = source
            self._reading.append((source, self._submit(source)))

    def _taken(self, candidates: Iterable[tuple[PictureSource, Future[_Read]]]) -> tuple[_Read] | None:
        """The earliest candidate that is read, alone in a tuple; None if none is."""
        for each in candidates:
            source, future = each
            if future.done():
                self._reading.remove(each)
                picture = future.result()
                self._supply.weigh(source.index, self._bytes_of(picture))
                return (picture,)
        return None

    def _wait_for_reader(self, until: float | None) -> None:
        """Waits for the earliest picture until a time on the monotonic clock; None: for any, a while."""
        began = time.perf_counter_ns()
        if until is None:
            wait([future for _, future in self._reading], LOOK_S, FIRST_COMPLETED)
        else:
            wait([self._reading[0][1]], max(0.0, until - time.monotonic()))
        self._waited("load", began)

    def _wait_for_room(self) -> None:
        began, writing = time.perf_counter_ns(), self._supply.is_writing
        self._supply.wait_for_change()
        self._waited("save" if writing else "pictures", began)

    def _waited(self, cause: str, began_ns: int) -> None:
        now = time.perf_counter_ns()
        if cause in self.waited_ns:
            self.waited_ns[cause] += now - began_ns
        self._told(cause, began_ns, now)

    def _let_go(self) -> None:
        """Leaves out what is not handed out yet: the run has failed."""
        for source, future in self._reading:
            future.cancel()
            self._in_hand.pop(source.index)
            self._supply.leave_out(source.index)
        self._reading.clear()
