"""Encodes frames into segments and keeps each one as soon as it is whole."""

from __future__ import annotations

from collections.abc import Callable

from gpen_fast.measure.clock import Clock
from gpen_fast.run.video.counts import FrameCounts
from gpen_fast.run.video.frames import DoneFrame
from gpen_fast.run.video.line_state import write_state
from gpen_fast.run.video.store import SegmentStore
from gpen_fast.video.encoder import EncodedStream, SegmentEncoder

# A segment ends at the first of these. Shorter ones lose less work when a run is killed, and cost bytes, since each
# begins with a key frame. Packets of a segment are in memory.
SEGMENT_S = 4.0
_MOST_FRAMES = 500
_MOST_BYTES = 64 << 20


class SegmentWriter:
    """Takes the frames of a video in their order, in one thread."""

    def __init__(self, stream: EncodedStream, store: SegmentStore, clock: Clock) -> None:
        self._stream = stream
        self._store = store
        self._clock = clock
        self._encoder: SegmentEncoder | None = None
        self._next = self._begun = store.frames
        self.counts = FrameCounts()

    def take(self, done: DoneFrame) -> None:
        """Encodes a frame; a segment that is long enough is ended before it."""
        assert done.index == self._next, f"frame {done.index} comes where {self._next} is due"
        at = done.index - self._begun
        with self._clock.span("encode", on_device=False, pictures=(at,)):
            if self._encoder is not None and self._is_long(self._encoder, done):
                self._end(self._encoder, done.state)
            if self._encoder is None:
                self._encoder = SegmentEncoder(self._stream, self._next)
            self._encoder.encode(done.frame, done.time)
        self._next += 1
        self.counts.add(done)

    def finish(self, state: Callable[[], bytes] | None = None) -> None:
        """Ends the segment that is begun. state: gives what a run needs that goes on after it."""
        if self._encoder is not None:
            with self._clock.span("encode", items=0, on_device=False):
                self._end(self._encoder, state)

    def _end(self, encoder: SegmentEncoder, state: Callable[[], bytes] | None) -> None:
        # Before the segment: where there is a segment to go on after, there is its state.
        if state is not None:
            write_state(self._store.folder, self._next, state())
        self._store.add(encoder.finish(self.counts.taken()))
        self._encoder = None

    def _is_long(self, encoder: SegmentEncoder, done: DoneFrame) -> bool:
        seconds = (done.time.pts - encoder.first_pts) * self._stream.facts.time_base
        return seconds >= SEGMENT_S or encoder.frames >= _MOST_FRAMES or encoder.size >= _MOST_BYTES
