"""Frames into a container as they come, each at its own time: files and streams."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from gpen_fast.errors import OutputError, VideoError
from gpen_fast.video.colour import converted
from gpen_fast.video.encoder import EncodedStream
from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.live.live_encoding import live_encoding

# Seconds of a unit of time: a film's unit, in which every usual rate is whole.
_BASE = Fraction(1, 90_000)
# Units between two frames at least: Matroska counts milliseconds.
_LEAST = 90
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_RGB, _UNTAGGED = 0, 2


@dataclass(frozen=True)
class EncodedTarget:
    """Where encoded frames go."""

    name: str
    """As the user named it."""
    address: str
    """What FFmpeg opens."""
    container: str
    """FFmpeg's name of the format."""
    options: Mapping[str, str]
    """Of the format and of the protocol."""
    key_s: float
    """Seconds from one key frame to the next: a receiver that comes later begins there."""
    is_stream: bool
    """Sent to a receiver, which may go away; else a file."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """Further options of the encoder."""


class EncodedSink:
    """Encodes and writes frames."""

    ended = False

    def __init__(self, target: EncodedTarget, facts: StreamFacts) -> None:
        """Sets the encoder up; nothing is written before the first frame, or `begin`.

        Raises:
            VideoError: The container or the encoder refuses the stream.
        """
        self._target = target
        encoding = live_encoding(facts, target.container, for_stream=target.is_stream)
        self._layout = encoding.pixel_format
        self._output, self._stream = _opened(target, facts)
        context = self._stream.codec_context
        with_header = bool(context.flags & av.codec.context.Flags.global_header)
        EncodedStream(encoding, facts, with_header).configure(context)
        if context.colorspace == _RGB:
            context.colorspace = _UNTAGGED
        context.options = {**encoding.options, **target.flags}
        context.time_base = self._stream.time_base = _BASE
        context.gop_size = max(1, round(float(facts.rate) * target.key_s))
        self._last: int | None = None
        self._begun = False
        self._broken = False

    def begin(self) -> None:
        """Opens the file or the connection; may block until a receiver is there.

        Raises:
            VideoError: The receiver refuses.
            OSError: It cannot be opened.
        """
        try:
            self._output.start_encoding()
        except (av.error.FFmpegError, ValueError) as error:
            self._broken = True
            raise self._told(error) from error
        self._begun = True

    def put(self, frame: av.VideoFrame, seconds: float) -> None:
        """Writes a frame.

        Args:
            frame: In the stream's size.
            seconds: When it is shown, since the first frame.

        Raises:
            OutputError: The disk is full.
            VideoError: The receiver is gone.
        """
        if not self._begun:
            if frame.rotation:
                self._stream.set_display_rotation(frame.rotation)
            self.begin()
        given = converted(frame, self._layout)
        if given is frame:
            given.make_writable()
        pts = round(seconds / _BASE)
        given.pts = pts if self._last is None else max(pts, self._last + _LEAST)
        given.time_base = _BASE
        given.pict_type = 0  # the encoder decides
        self._last = given.pts
        self._mux(given)

    def close(self) -> None:
        """Writes what is left, and closes. After a failure it closes as far as that goes, and raises nothing.

        Raises:
            OutputError: The disk is full.
        """
        try:
            if self._begun and not self._broken:
                self._mux(None)
        finally:
            self._begun = self._begun and not self._broken
            try:
                self._output.close()
            except (av.error.FFmpegError, OSError) as error:
                if self._begun:
                    raise self._told(error) from error
            finally:
                self._begun, self._broken = False, True

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._output.mux(packet)
        except (av.error.FFmpegError, ValueError) as error:
            self._broken = True
            raise self._told(error) from error

    def _told(self, error: Exception) -> OutputError | VideoError | OSError:
        name = self._target.name
        number = getattr(error, "errno", None)
        words = str(getattr(error, "strerror", None) or error).lower()
        if number in _FULL:
            return OutputError(
                f"{name}: the disk is full. What was written before is kept and can be played."
            )
        if self._target.is_stream:
            return VideoError(
                f"{name}: the receiver is gone, or was never there ({words}). Check that it runs."
            )
        if isinstance(error, OSError):
            return OSError(number, words, name)
        return VideoError(f"{name}: cannot be written ({words}).")


def _opened(target: EncodedTarget, facts: StreamFacts) -> tuple[OutputContainer, VideoStream]:
    encoder = live_encoding(facts, target.container, for_stream=target.is_stream).encoder
    try:
        output = av.open(target.address, "w", format=target.container, container_options=dict(target.options))
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(f"{target.name}: {error}") from error
    stream = output.add_stream(encoder, rate=facts.rate.limit_denominator(1001))
    assert isinstance(stream, VideoStream), "live encodings are of video"
    with contextlib.suppress(ValueError):
        stream.time_base = _BASE
    return output, stream
