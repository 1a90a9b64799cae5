"""Frames that something else sends: a thread reads them as they come, so that no buffer before it fills."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
from av.codec.context import Flags
from av.container import InputContainer
from av.video.stream import VideoStream

from gpen_fast.errors import VideoError, first_line
from gpen_fast.video.facts import StreamFacts, picked_stream, stream_facts
from gpen_fast.video.live.arrival import Arrival
from gpen_fast.video.live.clock import SteadyTimes
from gpen_fast.video.planes import planar
from gpen_fast.video.reader import DecodedFrame

# Frames that wait for the caller: room for a moment in which its thread does not run. The oldest is dropped.
_WAITING = 8
# Seconds that `close` waits for the reading thread; a read that blocks longer ends by itself, or with the process.
_CLOSE_S = 0.5
# Seconds by which a recording on a server may be shorter than it says.
_CUT_OFF_S = 1.0


@dataclass(frozen=True)
class Feed:
    """What a thread is to read."""

    name: str
    """As the user named it."""
    open: Callable[[], InputContainer]
    """Opens it; may block. Raises VideoError, or what PyAV raises."""
    sender: str
    """Who sends, for sentences, such as "the camera"."""
    patience: float
    """Seconds without a frame after which it counts as lost."""
    paced: bool = False
    """A stream of known length plays at its own speed: a recording on a server comes faster than that."""


class FedSource:
    """A camera or a stream."""

    def __init__(self, feed: Feed) -> None:
        """Starts the thread, and waits until it has opened the feed.

        Raises:
            VideoError: It cannot be opened, or has no video that can be decoded.
        """
        self._feed = feed
        self._frames: deque[Arrival] = deque(maxlen=_WAITING)
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._opened = threading.Event()
        self._done = False
        self._failure: Exception | None = None
        self._facts: StreamFacts | None = None
        self.lost = ""
        # A daemon: a driver that never answers must not keep the process.
        self._thread = threading.Thread(target=self._run, name="gpen-fast-feed", daemon=True)
        self._thread.start()
        try:
            self._opened.wait()
        except BaseException:  # broad: Ctrl-C while nothing answers
            self._closed.set()
            raise
        if self._facts is None:
            assert self._failure is not None, "the thread keeps why it has no facts"
            raise VideoError(f"{feed.name}: {_cause(self._failure)}") from self._failure
        self.facts: StreamFacts = self._facts

    def __iter__(self) -> Iterator[Arrival]:
        """The frames as they come; those that came before anyone asked are old, and are left out."""
        with self._changed:
            if not self._done:
                self._frames.clear()
        while (arrival := self._next()) is not None:
            yield arrival

    def close(self) -> None:
        """Ends the iteration; from any thread."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_S)

    def _next(self) -> Arrival | None:
        limit = time.monotonic() + self._feed.patience
        with self._changed:
            while not self._closed.is_set():
                if self._frames:
                    return self._frames.popleft()
                left = limit - time.monotonic()
                if self._done or self.lost:
                    return None
                if left <= 0:
                    self.lost = self._silent()
                    return None
                self._changed.wait(left)
        return None

    def _run(self) -> None:
        try:
            with self._feed.open() as container:
                stream = picked_stream(container)
                self._facts = stream_facts(container, stream)
                self._opened.set()
                self._read(container, stream)
        except av.error.ExitError:  # PyAV's time limit for one read
            self._failure = VideoError(self._silent())
        except Exception as error:  # broad: the thread keeps what ended it, and the caller's thread tells it
            self._failure = error
        if self._failure and self._opened.is_set():
            self._lose(f"{self._feed.sender} was lost: {_cause(self._failure)}")
        with self._changed:
            self._done = True
            self._changed.notify_all()
        self._opened.set()

    def _read(self, container: InputContainer, stream: VideoStream) -> None:
        assert self._facts is not None
        # Threads over slices only: threads over frames would hold back as many frames as there are threads.
        stream.thread_type = "SLICE"
        if not stream.codec_context.has_b_frames:
            stream.codec_context.flags |= Flags.low_delay
        whole = container.duration / av.time_base if container.duration and self._feed.paced else None
        times, begun = SteadyTimes(self._facts), None
        index = 0
        for packet in container.demux(stream):
            now = time.perf_counter()
            for frame in _decoded(packet):
                self._refuse_change(frame)
                pts = times.next(frame)
                if whole is not None:
                    shown = float(pts * self._facts.time_base)
                    begun = now - shown if begun is None else begun
                    now = begun + shown
                    self._closed.wait(max(0.0, now - time.perf_counter()))
                if self._closed.is_set():
                    return
                duration = times.duration(frame)
                self._put(
                    Arrival(DecodedFrame(index, pts, duration, planar(frame), frame.rotation % 360), now)
                )
                index += 1
            if self._closed.is_set():
                return
        self._end(whole, times.seconds)

    def _put(self, arrival: Arrival) -> None:
        with self._changed:
            self._frames.append(arrival)
            self._changed.notify_all()

    def _refuse_change(self, frame: av.VideoFrame) -> None:
        facts = self.facts if self._facts is None else self._facts
        if (frame.width, frame.height) != (facts.width, facts.height):
            raise VideoError(
                f"its pictures changed from {facts.width}x{facts.height} to {frame.width}x{frame.height} pixels. "
                "Start again."
            )

    def _end(self, whole: float | None, read: float) -> None:
        if whole is None:
            self._lose(f"{self._feed.sender} ended the stream after {read:.1f} s.")
        elif whole - read > _CUT_OFF_S:
            self._lose(f"{self._feed.sender} ended the stream after {read:.1f} of {whole:.1f} s.")

    def _lose(self, sentence: str) -> None:
        if not self._closed.is_set():
            self.lost = self.lost or sentence

    def _silent(self) -> str:
        return f"no picture came from {self._feed.sender} for {self._feed.patience:g} s."


def _decoded(packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
    """The frames of a packet; none where it is damaged, as after a lost packet of the network."""
    try:
        return [frame for frame in packet.decode() if not frame.is_corrupt]
    except (av.error.InvalidDataError, av.error.EOFError):
        return []


def _cause(error: Exception) -> str:
    """One sentence, without the number and the address that FFmpeg adds."""
    if isinstance(error, VideoError):
        return str(error)
    words = str(getattr(error, "strerror", None) or first_line(error))
    return f"{words[:1].lower()}{words[1:].rstrip('.')}."
