"""One device's work: pictures are detected and restored in batches, one call in flight while the next is prepared.

A worker has all state of its device to itself. It drops each picture that it has handed on at once: a variable of a
generator that waits would hold the pixels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import torch

from gpen_fast.device.malloc import give_back_freed_memory
from gpen_fast.device.streams import own_stream, record_event, wait_event, worker_stream
from gpen_fast.run.ahead import NoPicture
from gpen_fast.run.job import (
    Cropped,
    Detected,
    Failed,
    Loaded,
    Pasted,
    PictureSource,
    Restored,
    Written,
    failed,
)
from gpen_fast.run.pipeline import LaunchedBatch, Pipeline
from gpen_fast.run.verdict import attempt, reach_of
from gpen_fast.stages.detect.base import batch_size

# Pictures without faces do not fill a batch: at most so many pictures wait for one that has some.
_MOST_IN_GROUP = 8
# Nor may the pictures of a group have more pixels than this together: they are all in memory.
_MOST_PIXELS_IN_GROUP = 64_000_000
# Pixels. Such a picture takes far longer than giving its memory back to the system does, which costs some 20 ms.
_LARGE = 8_000_000

Read = Loaded | Detected | Failed


class ReadPictures(Protocol):
    """Where a worker's pictures come from."""

    def take(self, *, held_up: bool) -> Read | NoPicture:
        """See `ReadAhead.take`."""


class Parcel:
    """A pasted or failed picture on its way to a writer. It is taken out once, so that no queue holds its pixels."""

    def __init__(self, picture: Pasted | Failed, pasted: torch.cuda.Event | None) -> None:
        self.index = picture.source.index
        self.faces = 0 if isinstance(picture, Failed) else len(picture.faces)
        self.pasted = pasted
        self._pictures = [picture]

    def take(self) -> Pasted | Failed:
        """The picture; the parcel no longer holds it."""
        return self._pictures.pop()


@dataclass(eq=False)
class _Flight:
    """Pictures in input order whose faces share a network call."""

    group: deque[Cropped | Restored | Failed]
    """Emptied as its pictures are handed on."""

    batch: LaunchedBatch | None
    """The call; None where it did not fit into memory, and once it has been waited for."""


class Worker:
    """Restores pictures on one device. Made in the thread that calls `work`."""

    def __init__(self, pipeline: Pipeline, *, most_in_flight: int | None = None) -> None:
        """Takes the calling thread's stream for its own.

        Args:
            pipeline: The verbs on this worker's device.
            most_in_flight: Network calls that the device may still be working on while the host prepares the next
                one. None: one on CUDA, none on a CPU, whose calls return only when they are done.
        """
        self._pipeline = pipeline
        self._device = pipeline.runtime.device
        self._stream = worker_stream(self._device)
        self._most_in_flight = int(self._device.type == "cuda") if most_in_flight is None else most_in_flight
        self._waiting: list[Read] = []
        self._group: deque[Cropped | Restored | Failed] = deque()
        self._flying: deque[_Flight] = deque()

    def read(self, source: PictureSource) -> Read:
        """Reads a picture for this worker, in a reader's thread: its pixels are complete for the worker's stream."""
        with self._beside():
            return attempt(self._pipeline.detect_early, attempt(self._pipeline.load, source))

    def work(self, pictures: ReadPictures) -> Iterator[Parcel]:
        """Restores the pictures until there are no more, and hands each on when it is pasted."""
        while (picture := pictures.take(held_up=self._holds_any)) is not NoPicture.LEFT:
            if picture is NoPicture.YET:
                yield from self._hurried()
                continue
            self._waiting.append(picture)
            del picture
            if not self._waits():
                yield from self._detected()
        yield from self._detected()
        self._launch_group()
        yield from self._landed(0)

    def finish(self, parcel: Parcel, write: Callable[[Pasted], Written]) -> Written | Failed:
        """Hands a picture to `write`, in a writer's thread, on a stream that waits for the picture to be pasted."""
        picture = parcel.take()
        large = _pixels([picture]) >= _LARGE
        with self._beside():
            wait_event(parcel.pasted, self._device)
            written = attempt(write, picture)
        del picture
        if large:
            give_back_freed_memory()
        return written

    def _beside(self) -> AbstractContextManager[None]:
        """Work in another thread overlaps this worker's work: its copies run on a stream of their own."""
        return own_stream(self._device, self._stream)

    @property
    def _holds_any(self) -> bool:
        return bool(self._waiting or self._group or self._flying)

    def _hurried(self) -> Iterator[Parcel]:
        """What to do while nothing is read: wait for a call in flight; with none, run the batch as it is."""
        if not self._flying:
            yield from self._detected()
            self._launch_group()
        yield from self._landed(max(0, len(self._flying) - 1))

    def _detected(self) -> Iterator[Parcel]:
        """Detects the faces of the waiting pictures; runs a call whenever there are faces enough for one."""
        detected = self._detect()
        while detected:
            self._group.append(attempt(self._pipeline.crop, detected.popleft()))
            if self._is_full():
                self._launch_group()
                yield from self._landed(self._most_in_flight)

    def _waits(self) -> bool:
        """Whether the pictures that wait for the detector are too few for a call."""
        waiting = self._waiting
        blank = sum(isinstance(picture, Loaded) for picture in waiting)
        if not blank or len(waiting) >= _MOST_IN_GROUP or _pixels(waiting) >= _MOST_PIXELS_IN_GROUP:
            return False
        runtime = self._pipeline.runtime
        # A batch's other pictures, or its size, may change the last bits of a result.
        return blank < (1 if runtime.settings.generate.deterministic else batch_size(runtime.detector))

    def _detect(self) -> deque[Detected | Failed]:
        """Takes the waiting pictures; one by one where the call for all fails, so that each keeps its own failure."""
        pictures = self._waiting[:]
        self._waiting.clear()
        try:
            found = iter(self._pipeline.detect([each for each in pictures if isinstance(each, Loaded)]))
        except Exception as error:  # broad: what fails for all may succeed for each
            if reach_of(error) == "run":
                raise
            return deque(map(self._detect_alone, pictures))
        return deque(next(found) if isinstance(picture, Loaded) else picture for picture in pictures)

    def _detect_alone(self, picture: Read) -> Detected | Failed:
        return attempt(self._pipeline.detect_now, picture) if isinstance(picture, Loaded) else picture

    def _is_full(self) -> bool:
        """Whether the group has faces for a call, or as many pictures or pixels as a group may have."""
        group = self._group
        faces = sum(len(picture.crops) for picture in group if not isinstance(picture, Failed))
        enough = faces >= self._pipeline.runtime.generator.batch_size
        return enough or len(group) >= _MOST_IN_GROUP or _pixels(group) >= _MOST_PIXELS_IN_GROUP

    def _launch_group(self) -> None:
        """Queues the group's network call, if there is a group."""
        if self._group:
            group, self._group = self._group, deque()
            self._flying.append(self._launched(group))

    def _launched(self, group: deque[Cropped | Restored | Failed]) -> _Flight:
        try:
            batch = self._pipeline.launch([picture for picture in group if isinstance(picture, Cropped)])
        except Exception as error:  # broad: `reach_of` decides
            if reach_of(error, in_network=True) == "run":
                raise
            return _Flight(group, None)
        return _Flight(group, batch)

    def _landed(self, most_left: int) -> Iterator[Parcel]:
        """Waits for the calls in flight until so many are left, and pastes their faces."""
        while len(self._flying) > most_left:
            flight = self._flying.popleft()
            self._settle(flight)
            while flight.group:
                yield self._pasted(flight.group.popleft())

    def _settle(self, flight: _Flight) -> None:
        """Puts the restored pictures into the group; where the call failed, it stays as it is."""
        batch, flight.batch = flight.batch, None
        if batch is None:
            return
        try:
            settled = iter(self._pipeline.settle(batch))
        except Exception as error:  # broad: `reach_of` decides
            if reach_of(error, in_network=True) == "run":
                raise
            return
        for index, picture in enumerate(flight.group):
            if isinstance(picture, Cropped):
                flight.group[index] = next(settled)

    def _pasted(self, picture: Cropped | Restored | Failed) -> Parcel:
        restored = self._alone(picture) if isinstance(picture, Cropped) else picture
        pasted = attempt(self._pipeline.paste, restored)
        return Parcel(pasted, record_event(self._device))

    def _alone(self, picture: Cropped) -> Restored | Failed:
        """A network call for one picture: it may succeed where its group's call failed."""
        try:
            return self._pipeline.settle(self._pipeline.launch([picture]))[0]
        except Exception as error:  # broad: `reach_of` decides
            if reach_of(error, in_network=True) == "run":
                raise
            return failed(picture, error)


def _pixels(pictures: Iterable[Loaded | Detected | Cropped | Restored | Pasted | Failed]) -> int:
    return sum(each.frame.width * each.frame.height for each in pictures if not isinstance(each, Failed))
