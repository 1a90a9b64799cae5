"""Joins encoded segments into a file, with everything that the input holds beside its pictures, not encoded again."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from gpen_fast.errors import VideoError
from gpen_fast.video.encoder import EncodedStream
from gpen_fast.video.reader import open_input
from gpen_fast.video.segment import EncodedSegment, FrameTime

# Without these, muxers move all times so that the first is zero, or add a delay of their own.
_MUXER = {"mpegts": {"mpegts_copyts": "1", "muxdelay": "0", "muxpreload": "0"}}


@dataclass(frozen=True)
class Cut:
    """The part of the input that is written, by its time stamps."""

    begin: Fraction | None = None
    """Seconds; None: from its first packet."""
    end: Fraction | None = None
    """Seconds; None: to its last packet."""
    shift: Fraction = Fraction(0)
    """Seconds that are taken from every time stamp."""

    def holds(self, time: Fraction | None) -> bool:
        """Whether what begins at this time is written."""
        if time is None:
            return True
        return (self.begin is None or time >= self.begin) and (self.end is None or time < self.end)


@dataclass(frozen=True)
class OutputShape:
    """What the output file is."""

    container: str
    """FFmpeg's name of its format."""
    stream: EncodedStream
    """The restored stream."""
    display_matrix: tuple[int, ...] | None
    """How players turn the picture."""
    cut: Cut = Cut()
    """Which part of the input it holds."""


def write_joined(
    file: BinaryIO,
    shape: OutputShape,
    source: Path | None,
    segments: Iterable[EncodedSegment],
    reordered: int,
) -> list[str]:
    """Writes the whole output file.

    Args:
        file: Open for writing, empty.
        shape: What is to be written.
        source: The input, whose other streams, chapters and metadata are copied; None: there is none.
        segments: The restored stream's, in their order.
        reordered: The largest `reordered` of the segments.

    Returns:
        What of the input is not in the output, as sentences.

    Raises:
        VideoError: The container refuses what it is given.
        OSError: The file cannot be written.
    """
    given = open_input(source) if source else None
    try:
        options = _MUXER.get(shape.container, {})
        output = av.open(file, "w", format=shape.container, container_options=options)
        with output:
            return _Join(output, shape, given).written(segments, reordered)
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, OSError) and not isinstance(error, av.error.FFmpegError | VideoError):
            raise
        if isinstance(error, VideoError) or getattr(error, "errno", None) in _SYSTEM:
            raise
        raise VideoError(
            f"{shape.container} refuses what it should hold: {getattr(error, 'strerror', None) or error}. "
            "Name OUT with another suffix, such as .mkv."
        ) from error
    finally:
        if given:
            given.close()


_SYSTEM = frozenset({28, 5, 27, 122})  # ENOSPC, EIO, EFBIG, EDQUOT


class _Join:
    """One output file while it is written."""

    def __init__(self, output: OutputContainer, shape: OutputShape, given: InputContainer | None) -> None:
        self._output = output
        self._shape = shape
        self._given = given
        self._notes: list[str] = []
        self._copied: dict[int, Stream] = {}
        self._has_chapters = bool(given and given.chapters())
        self._restored = self._add_streams()

    def written(self, segments: Iterable[EncodedSegment], reordered: int) -> list[str]:
        """Writes everything, and gives the notes."""
        self._output.start_encoding()
        video = self._video_packets(segments, reordered)
        waiting = next(video, None)
        for packet in self._other_packets():
            at = _seconds(packet.dts if packet.dts is not None else packet.pts, packet.time_base)
            while waiting is not None and (at is None or _seconds(waiting.dts, waiting.time_base) <= at):  # type: ignore[operator]
                self._output.mux(waiting)
                waiting = next(video, None)
            self._output.mux(packet)
        while waiting is not None:
            self._output.mux(waiting)
            waiting = next(video, None)
        return self._notes

    def _add_streams(self) -> VideoStream:
        restored = None
        for stream in self._given.streams if self._given else ():
            if stream.index == self._shape.stream.facts.index:
                restored = self._add_restored(stream)
            else:
                self._add_copy(stream)
        if self._given:
            self._copy_chapters(self._given)
            self._output.metadata.update(_kept_tags(self._given.metadata))
        return restored or self._add_restored(None)

    def _add_restored(self, source: Stream | None) -> VideoStream:
        encoded = self._shape.stream
        stream = self._output.add_stream(encoded.encoding.encoder, rate=encoded.rate)
        assert isinstance(stream, VideoStream), "ENCODERS lists video encoders"
        encoded.configure(stream.codec_context)
        stream.codec_context.options = encoded.all_options
        if encoded.encoding.codec == "hevc" and self._shape.container in ("mp4", "mov"):
            stream.codec_context.codec_tag = "hvc1"  # Apple's players open no other
        stream.time_base = encoded.facts.time_base
        if self._shape.display_matrix:
            stream.set_display_matrix(self._shape.display_matrix)
        if source:
            stream.metadata.update(_kept_tags(source.metadata))
            stream.disposition = source.disposition
        return stream

    def _add_copy(self, source: Stream) -> None:
        if source.type == "data" and source.name in (None, "bin_data") and self._has_chapters:
            return  # the titles of the chapters, which the muxer writes itself
        try:
            if source.type == "attachment":
                name = source.metadata.get("filename", "attachment")
                kind = source.metadata.get("mimetype", "application/octet-stream")
                self._output.add_attachment(name, kind, source.data)  # type: ignore[attr-defined]
                return
            copy = self._output.add_stream_from_template(source, opaque=True)
        except (ValueError, av.error.FFmpegError, NotImplementedError):
            named = (
                source.codec_context.name if source.codec_context else "of a kind that FFmpeg does not know"
            )
            self._notes.append(
                f"stream {source.index} ({source.type}, {named}) is left out: {self._shape.container} does not hold "
                "it. An OUT that ends in .mkv holds most kinds."
            )
            return
        copy.time_base = source.time_base
        copy.metadata.update(_kept_tags(source.metadata))
        copy.disposition = source.disposition
        self._copied[source.index] = copy

    def _copy_chapters(self, given: InputContainer) -> None:
        cut, kept = self._shape.cut, []
        for chapter in given.chapters():
            base = chapter["time_base"] or Fraction(1, 1000)
            begin, end = chapter["start"] * base, chapter["end"] * base
            begin, end = max(begin, cut.begin or begin), min(end, cut.end or end)
            if begin < end:
                shifted = {"start": round((begin - cut.shift) / base), "end": round((end - cut.shift) / base)}
                kept.append({**chapter, **shifted})
        if kept:
            self._output.set_chapters(kept)  # type: ignore[arg-type]  # a Chapter with other times

    def _other_packets(self) -> Iterator[av.Packet[Stream]]:
        """The packets of the copied streams, with their times shifted."""
        if not self._given or not self._copied:
            return
        cut = self._shape.cut
        for packet in self._given.demux([self._given.streams[index] for index in self._copied]):
            if packet.size == 0 and packet.dts is None:
                continue  # the end of a stream
            base = packet.time_base
            if not cut.holds(_seconds(packet.pts, base)):
                continue
            shift = round(cut.shift / base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = self._copied[packet.stream_index]
            yield packet

    def _video_packets(
        self, segments: Iterable[EncodedSegment], reordered: int
    ) -> Iterator[av.Packet[Stream]]:
        """The restored stream's packets: each frame at its own time, each packet in the order of decoding."""
        base = self._shape.stream.facts.time_base
        shift = round(self._shape.cut.shift / base)
        for (data, is_key, time), dts in _timed(segments, reordered):
            packet = av.Packet(data)
            packet.stream = self._restored
            packet.time_base = base
            packet.pts, packet.dts, packet.duration = time.pts - shift, dts - shift, time.duration
            packet.is_keyframe = is_key
            yield packet


def _timed(
    segments: Iterable[EncodedSegment], reordered: int
) -> Iterator[tuple[tuple[bytes, bool, FrameTime], int]]:
    """Every packet with its frame's time, and the time at which it is to be decoded.

    The n-th packet is decoded when the frame `reordered` places before the n-th is shown: these times increase, and
    none is after the time of its own frame. Before the first frame they continue backwards at its pace.
    """
    earlier: deque[int] = deque()
    for segment in segments:
        times = [time.pts for time in segment.times]
        if not earlier and times:
            pace = times[1] - times[0] if len(times) > 1 else max(1, segment.times[0].duration)
            earlier.extend(times[0] - pace * back for back in range(reordered, 0, -1))
        for packet, pts in zip(segment.packets, times, strict=True):
            earlier.append(pts)
            yield (packet.data, packet.is_key, segment.times[packet.shown]), earlier.popleft()


def _seconds(stamp: int | None, base: Fraction) -> Fraction | None:
    return None if stamp is None else stamp * base


# What a muxer writes itself, and what is true of the input's file only.
_OWN_TAGS = frozenset(
    {"encoder", "major_brand", "minor_version", "compatible_brands", "creation_time", "duration"}
    | {"vendor_id", "number_of_frames", "number_of_bytes", "bps", "_statistics_writing_app", "rotate"}
    | {"_statistics_writing_date_utc", "_statistics_tags"}
)


def _kept_tags(tags: dict[str, str]) -> dict[str, str]:
    """The metadata that is true of the output too."""
    kept = {}
    for name, value in tags.items():
        plain = name.lower().partition("-")[0]
        if plain not in _OWN_TAGS or name == "creation_time":
            kept[name] = value
    return kept


def most_reordered(segments: Sequence[EncodedSegment]) -> int:
    """The largest `reordered` of some segments."""
    return max(itertools.chain([0], (segment.reordered for segment in segments)))
