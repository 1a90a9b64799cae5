"""What a video stream is, beside its frames."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from gpen_fast.errors import VideoError

# Frames per second of a stream that does not say it.
_RATE = Fraction(25)
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)$")


@dataclass(frozen=True)
class ColourTags:
    """How a stream says its colour is meant: numbers of ITU-T H.273, and FFmpeg's number of the range."""

    matrix: int
    """Luma and chroma from RGB; 2 is untagged."""
    range: int
    """0 untagged, 1 limited, 2 full."""
    primaries: int
    """2 is untagged."""
    transfer: int
    """2 is untagged; 16 is PQ, 18 is HLG."""

    @property
    def is_hdr(self) -> bool:
        """Whether the samples are PQ or HLG."""
        return self.transfer in (16, 18)


@dataclass(frozen=True)
class StreamFacts:
    """The video stream that is restored."""

    index: int
    """Its number in the file."""
    codec: str
    """FFmpeg's name of its codec, such as h264."""
    profile: str
    """Its codec's profile; empty where there is none."""
    pixel_format: str
    """FFmpeg's name of its samples' layout, such as yuv420p10le."""
    width: int
    """Columns as they are coded: before rotation, and before the samples' shape counts."""
    height: int
    """Rows as they are coded."""
    time_base: Fraction
    """Seconds of one unit of its time stamps."""
    rate: Fraction
    """Frames per second, on average."""
    sample_aspect: Fraction | None
    """Width of a sample over its height; None where it does not say."""
    colour: ColourTags
    """How its colour is meant."""
    seconds: float | None
    """How long it is by its own account; None where it does not say."""
    frames: int
    """How many frames it has by its own account; 0 where it does not say."""


def picked_stream(container: InputContainer) -> VideoStream:
    """The first stream of moving pictures; a cover picture is none.

    Raises:
        VideoError: There is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
            return stream
    kinds = sorted({stream.type for stream in container.streams})
    holds = f"it holds only {' and '.join(kinds)}" if kinds else "it holds no stream at all"
    raise VideoError(f"no video stream: {holds}. Give a file with moving pictures.")


def stream_facts(container: InputContainer, stream: VideoStream) -> StreamFacts:
    """What the stream says of itself.

    Raises:
        VideoError: This build of FFmpeg has no decoder for it, or it says neither size nor format.
    """
    context = stream.codec_context
    if context is None:
        raise VideoError("its video codec is not known to this build of FFmpeg, so it cannot be decoded.")
    if not context.width or not context.height or context.pix_fmt is None:
        raise VideoError(
            f"its video ({context.name}) holds no picture that could be read: the file is empty or damaged."
        )
    return StreamFacts(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=stream.profile or "",
        pixel_format=context.pix_fmt,
        width=context.width,
        height=context.height,
        time_base=stream.time_base or Fraction(1, 1000),
        rate=_rate(stream),
        sample_aspect=stream.sample_aspect_ratio or None,
        colour=ColourTags(
            context.colorspace, context.color_range, context.color_primaries, context.color_trc
        ),
        seconds=_seconds(container, stream),
        frames=stream.frames,
    )


def _rate(stream: VideoStream) -> Fraction:
    """The average rate; where it is none that a film can have, the rate that FFmpeg guesses."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= 1000:
            return Fraction(rate).limit_denominator(100_000)
    return _RATE


def _seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """The stream's own duration: that of the file counts its sound too, which may be longer."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    told = _CLOCK.match(stream.metadata.get("DURATION", ""))  # Matroska
    if told:
        hours, minutes, seconds = map(float, told.groups())
        return hours * 3600 + minutes * 60 + seconds
    alone = len(container.streams) == 1
    return container.duration / av.time_base if container.duration and alone else None
