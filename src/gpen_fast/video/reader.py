"""Decoded frames of a file, one after the other, each with its exact time."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import InputContainer
from av.filter import Graph

from gpen_fast.errors import VideoError, first_line
from gpen_fast.video.facts import StreamFacts, picked_stream, stream_facts
from gpen_fast.video.hwaccel import opened_with
from gpen_fast.video.planes import planar

# Seconds that a file may be shorter than it says without being cut off: durations are rounded, and audio may be longer.
_CUT_OFF_S = 0.5
# Errors of the system, not of the content.
_SYSTEM = frozenset({errno.ENOENT, errno.EACCES, errno.EISDIR, errno.EPERM, errno.EIO, errno.ENOMEM})


@dataclass(frozen=True, eq=False)
class DecodedFrame:
    """A frame as it was decoded."""

    index: int
    """Its number among the frames that were asked for, from 0."""
    pts: int
    """When it is shown, in the stream's time base; strictly increasing."""
    duration: int
    """How long it is shown, in the same units; 0 where the file does not say."""
    frame: av.VideoFrame = field(repr=False)
    """Its samples, a plane for each component."""
    rotation: int
    """Degrees counter-clockwise by which a player turns it: a multiple of 90."""


@dataclass
class ReadState:
    """What was met on the way."""

    damaged: int = 0
    """Packets that could not be decoded."""
    end: Fraction | None = None
    """Seconds at which the last frame ends."""
    moved: int = 0
    """Frames whose time stamp was missing, or not after the one before."""
    problem: str = ""
    """Why the file could not be read to its end; empty where it could."""


class VideoReader:
    """Reads the frames of one file."""

    def __init__(self, path: Path, *, deinterlace: bool = False, hwaccel: str = "none") -> None:
        """Opens the file.

        Args:
            path: The file.
            deinterlace: Interlaced frames are deinterlaced, each into one frame; else they are refused.
            hwaccel: What decodes: see `opened_with`. Without it, or where it fails, the host.

        Raises:
            VideoError: It is no video, has no video stream, or has one that cannot be decoded here.
            OSError: The file cannot be opened.
        """
        self._path = path
        on_device, self.software_note = opened_with(hwaccel, str(path)) if path.is_file() else (None, "")
        self._container = on_device or open_input(path)
        try:
            self._stream = picked_stream(self._container)
            self.facts: StreamFacts = stream_facts(self._container, self._stream)
        except BaseException:  # broad: whatever ends the opening closes the file
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self._deinterlace = deinterlace
        self.state = ReadState()
        # AVI holds no time stamps of frames. Its packets have places in the order of decoding, and the n-th frame that
        # is shown has the n-th place.
        self._places: deque[int] | None = deque() if self._container.format.name == "avi" else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    @property
    def container_name(self) -> str:
        """FFmpeg's name of the file's format."""
        return self._container.format.name

    @property
    def other_streams(self) -> list[str]:
        """Kinds of the streams beside the frames, such as audio, each once."""
        index = self.facts.index
        return sorted({each.type for each in self._container.streams if each.index != index})

    @property
    def start_seconds(self) -> float:
        """The time of the file's first frame by its own account."""
        start = self._stream.start_time
        return float(start * self.facts.time_base) if start else 0.0

    def frames(self, start: Fraction | None = None, end: Fraction | None = None) -> Iterator[DecodedFrame]:
        """The frames that begin at `start` or later and before `end`, seconds from the file's start.

        Raises:
            VideoError: A frame is interlaced, or differs from the first in size or format.
        """
        first, last_pts, index = None, None, 0
        base = self.facts.time_base
        for frame in self._shown():
            pts = self._pts(frame, last_pts)
            first = pts if first is None else first
            since = (pts - first) * base
            last_pts = pts
            duration = round((frame.duration or 0) * self._ratio(frame))
            self.state.end = (pts + duration) * base
            if end is not None and since >= end:
                return
            if start is None or since >= start:
                yield DecodedFrame(index, pts, duration, planar(frame), frame.rotation % 360)
                index += 1

    def cut_off(self) -> str:
        """What could not be read, as a sentence; empty where all was. For after the last frame."""
        told, state = self.facts.seconds, self.state
        read = float(state.end or 0) - self.start_seconds
        ends_early = told is not None and told - read > max(_CUT_OFF_S, 2 / float(self.facts.rate))
        if ends_early or state.problem:
            why = f" ({state.problem})" if state.problem else ""
            of = f" of the {told:.1f} s that it says it has" if told else ""
            return f"the file ends early{why}: {read:.1f} s{of} could be read, and those are restored."
        if state.damaged:
            return (
                f"{state.damaged} damaged packets could not be decoded: their frames are missing or broken."
            )
        return ""

    def _shown(self) -> Iterator[av.VideoFrame]:
        """Decoded frames, deinterlaced where that was asked for."""
        fields = _Deinterlacer(self._stream) if self._deinterlace else None
        for number, frame in enumerate(self._decoded()):
            self._check(frame, number)
            if fields:
                yield from fields.pushed(frame)
            else:
                yield frame
        if fields:
            yield from fields.pushed(None)

    def _check(self, frame: av.VideoFrame, number: int) -> None:
        facts = self.facts
        if frame.interlaced_frame and not self._deinterlace:
            raise VideoError(
                f"frame {number} is interlaced: its lines are of two moments, and a face across them cannot be "
                "restored. Add --deinterlace, which makes whole frames of them."
            )
        if (frame.width, frame.height) != (facts.width, facts.height):
            raise VideoError(
                f"frame {number} has {frame.width}x{frame.height} pixels, and the first has "
                f"{facts.width}x{facts.height}: a change of size cannot be kept. "
                "Cut the file there, by --start and --end."
            )

    def _decoded(self) -> Iterator[av.VideoFrame]:
        try:
            for packet in self._container.demux(self._stream):
                if self._places is not None and packet.size and packet.dts is not None:
                    self._places.append(packet.dts)
                try:
                    yield from packet.decode()
                except av.error.InvalidDataError:
                    self.state.damaged += 1
                except av.error.EOFError:
                    return
        except av.error.FFmpegError as error:
            if error.errno in (errno.ENOSPC, errno.ENOMEM):
                raise
            self.state.problem = _words(error)

    def _ratio(self, frame: av.VideoFrame) -> Fraction:
        """The stream's units in one of the frame's: a filter may have made them finer."""
        return frame.time_base / self.facts.time_base if frame.time_base else Fraction(1)

    def _pts(self, frame: av.VideoFrame, last: int | None) -> int:
        """The frame's time, or the time after the last frame where it has none, or one that does not come after it."""
        step = max(1, round(1 / (self.facts.rate * self.facts.time_base)))
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is not None:
            pts = round(pts * self._ratio(frame))
        if self._places:
            pts = self._places.popleft()
        if last is None:
            return pts if pts is not None else 0
        if pts is None:
            self.state.moved += 1
            return last + step
        if pts <= last:
            self.state.moved += 1
            return last + 1
        return pts


class _Deinterlacer:
    """FFmpeg's bwdif: a whole frame for each interlaced frame, at its time."""

    def __init__(self, stream: av.VideoStream) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(template=stream)
        bwdif = self._graph.add("bwdif", "mode=send_frame:deint=interlaced")
        self._graph.link_nodes(source, bwdif, self._graph.add("buffersink")).configure()

    def pushed(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """Takes a frame, None at the end, and gives those that are done."""
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def open_input(path: Path) -> InputContainer:
    """Opens a file to read.

    Raises:
        VideoError: It is no container that this build of FFmpeg reads.
        OSError: It cannot be opened.
    """
    if not path.is_file():
        path.open("rb").close()  # raises what the system says
    try:
        return av.open(str(path), "r", metadata_errors="replace")
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        if (
            isinstance(error, OSError)
            and not isinstance(error, av.error.InvalidDataError)
            and error.errno in _SYSTEM
        ):
            raise OSError(error.errno, error.strerror, str(path)) from None
        size = path.stat().st_size
        what = "it is empty" if not size else _words(error)
        raise VideoError(f"no video that can be read: {what}.") from error


def _words(error: BaseException) -> str:
    """FFmpeg's own words, without a number or a file's name."""
    text = getattr(error, "strerror", None) or first_line(error)
    return str(text).lower()
