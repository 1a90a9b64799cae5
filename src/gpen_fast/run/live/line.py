"""Threads with slots of one: frames arrive, faces are followed, restored and pasted; the caller hands frames out.

The latest frame wins: one that arrives while another waits replaces it. So latency cannot add up, and no frame is
handed out after a later one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gpen_fast.device.threads import cores_beside, own_torch_threads
from gpen_fast.measure.spans import RecordedSpan
from gpen_fast.run.live.control import LiveSample, StepControl
from gpen_fast.run.live.finishing import LiveFinisher
from gpen_fast.run.live.rehearsal import Rehearsal
from gpen_fast.run.live.restoring import LiveFrame, LiveMade, LiveRestorer
from gpen_fast.run.live.slot import LatestSlot
from gpen_fast.run.live.steps import QualityStep
from gpen_fast.run.video.following import followed_frame
from gpen_fast.run.video.frames import DoneFrame, FrameSource
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.video.live.arrival import Arrival, LiveSource
from gpen_fast.video.track import Tracker, TrackState

_Slot = LatestSlot[Arrival] | LatestSlot[LiveFrame] | LatestSlot["_TimedMade"] | LatestSlot["LiveDone"]
# Seconds for which the threads are waited for at the end: a call of the largest network on a CPU takes some.
_JOIN_S = 30.0


@dataclass(frozen=True, eq=False)
class LiveDone:
    """A restored frame that is to be handed out."""

    frame: DoneFrame
    """The frame."""
    seconds: float
    """When it arrived, from the first frame's arrival."""
    arrived: float
    """The same by `time.perf_counter`."""
    step: int
    """Number of the quality step that it was restored with."""
    line: float
    """Seconds that the thread of the network worked on it."""
    beside: float
    """Seconds that the busiest other thread worked on it."""
    network: float
    """Seconds of the network's call; 0 where it did not run."""
    new_tracks: int
    """Faces that were not followed before it."""


@dataclass(frozen=True, eq=False)
class LiveParts:
    """What restores the frames of a live run."""

    steps: Sequence[QualityStep]
    """The quality steps."""
    pipelines: Sequence[FramePipeline]
    """The stages of each."""
    tracker: Tracker
    """Follows faces."""
    restorer: LiveRestorer
    """Runs the network."""
    finisher: LiveFinisher
    """Averages and pastes."""
    control: StepControl
    """Says which step the next frame takes."""
    rehearsal: Rehearsal
    """What the threads do before the first frame."""


class _TimedMade(NamedTuple):
    made: LiveMade
    line: float
    """Seconds that the thread of the network worked on it."""


class LiveLine:
    """The frames of one source, each restored at the step that the control names."""

    def __init__(self, source: LiveSource, name: str, parts: LiveParts) -> None:
        """Takes what restores; `frames` starts it.

        Args:
            source: Where frames come from.
            name: Its name.
            parts: What restores.
        """
        self._source, self._path, self._parts = source, Path(name), parts
        self._ready = threading.Barrier(4)
        self._arrived: LatestSlot[Arrival] = LatestSlot()
        self._followed: LatestSlot[LiveFrame] = LatestSlot()
        self._made: LatestSlot[_TimedMade] = LatestSlot()
        self._done: LatestSlot[LiveDone] = LatestSlot()
        self._first: float | None = None
        self._error: BaseException | None = None

    @property
    def dropped(self) -> int:
        """Frames that arrived and were not handed out, because a later one was there."""
        return self._arrived.dropped + self._done.dropped

    def frames(self) -> Iterator[LiveDone]:
        """The frames as they are done, until the source ends; what a thread raised is raised at the end."""
        works = (
            ("arrivals", self._arrive, self._arrived, 1),
            ("faces", self._follow, self._followed, 1),
            ("network", self._restore, self._made, cores_beside(0)),
            ("paste", self._finish, self._done, 1),
        )
        threads = [
            threading.Thread(
                target=self._run, args=(work, slot, cores), name=f"gpen-fast-{name}", daemon=True
            )
            for name, work, slot, cores in works
        ]
        for thread in threads:
            thread.start()
        try:
            yield from self._done
        finally:
            self.close()
            for thread in threads:
                thread.join(_JOIN_S)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Lets no further frame in; those under way are finished. From any thread, a signal handler's too."""
        self._source.close()

    def hear(self, done: LiveDone, now: float, dropped: int) -> None:
        """Tells the control of a frame that was handed out.

        Args:
            done: The frame.
            now: When, seconds by `time.perf_counter`.
            dropped: Frames dropped since the one before it.
        """
        sample = LiveSample(
            now,
            done.step,
            now - done.arrived,
            done.line,
            done.beside,
            done.network,
            dropped,
            done.frame.faces,
        )
        self._parts.control.frame(sample)

    def _run(self, work: Callable[[], None], slot: _Slot, cores: int) -> None:
        """One thread: what it makes goes into its slot, which is closed when it ends."""
        try:
            with own_torch_threads(cores):
                work()
        except BaseException as error:  # broad: it is raised in the caller's thread
            self._error = self._error or error
            self._ready.abort()
            self._source.close()
            for each in (self._arrived, self._followed, self._made, self._done):
                each.close()
        finally:
            slot.close()

    def _arrive(self) -> None:
        self._ready.wait()
        for arrival in self._source:
            if self._first is None:
                self._first = arrival.arrived
            if arrival.decoding:
                self._record(arrival.decoded.index, *arrival.decoding)
            self._arrived.put(arrival)

    def _record(self, index: int, begun: int, ended: int) -> None:
        """Counts the decoding of a frame, which the source has timed."""
        name = threading.current_thread().name
        span = RecordedSpan("decode", begun, ended, name, 1, ended - begun, pictures=(index,))
        self._parts.pipelines[0].clock.recorder.add(span)

    def _follow(self) -> None:
        self._parts.rehearsal.follow()
        self._ready.wait()
        state = TrackState()
        arrivals, base = iter(self._arrived), float(self._source.facts.time_base)
        # A frame is taken when the network can have it soon: while one waits there, a later one may arrive.
        while self._followed.wait_empty() and (arrival := next(arrivals, None)) is not None:
            begun, step = time.perf_counter(), self._parts.control.step
            decoded = arrival.decoded
            source = FrameSource(decoded.index, self._path, decoded=decoded)
            if not self._parts.steps[step].every:
                state = TrackState(next_number=state.next_number)
                self._followed.put(LiveFrame(source, arrival.arrived, step, 0.0, None, {}))
                continue
            followed, state = followed_frame(
                self._parts.pipelines[step], self._parts.tracker, source, state, decoded.pts * base
            )
            missed = {track.number: track.missed for track in state.tracks}
            beside = time.perf_counter() - begun
            self._followed.put(LiveFrame(source, arrival.arrived, step, beside, followed, missed))

    def _restore(self) -> None:
        self._parts.rehearsal.restore()
        self._ready.wait()
        frames = iter(self._followed)
        # What the network has made is not dropped: the next frame waits, and so a later one may be taken.
        while self._made.wait_empty() and (given := next(frames, None)) is not None:
            begun = time.perf_counter()
            made = self._parts.restorer.restore(given)
            self._made.put(_TimedMade(made, time.perf_counter() - begun))

    def _finish(self) -> None:
        self._parts.rehearsal.finish()
        self._ready.wait()
        for timed in self._made:
            begun, given = time.perf_counter(), timed.made.given
            done = self._parts.finisher.finish(timed.made)
            assert self._first is not None, "a frame has arrived"
            self._done.put(
                LiveDone(
                    done,
                    given.arrived - self._first,
                    given.arrived,
                    given.step,
                    timed.line,
                    max(given.beside, time.perf_counter() - begun),
                    timed.made.network,
                    given.followed.new_tracks if given.followed else 0,
                )
            )
