"""Restores one video: decode, stages and encode overlapped, then segments joined."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av

from gpen_fast import __version__
from gpen_fast.errors import VideoError
from gpen_fast.files import fill_file
from gpen_fast.measure.clock import Clock
from gpen_fast.run.engine import Engine
from gpen_fast.run.job import Failed
from gpen_fast.run.video.counts import summed
from gpen_fast.run.video.frames import DoneFrame, FrameSource, as_decoded
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.run.video.plan import VideoItem
from gpen_fast.run.video.segments import SegmentWriter
from gpen_fast.run.video.store import SegmentStore
from gpen_fast.run.video.threads import ReadAheadThread, SinkThread
from gpen_fast.settings import VideoOptions
from gpen_fast.video.codecs import EncodingWish, choose_encoding
from gpen_fast.video.encoder import EncodedStream
from gpen_fast.video.hdr import keeps_light
from gpen_fast.video.probe import VideoFacts, probe_video
from gpen_fast.video.reader import DecodedFrame, VideoReader
from gpen_fast.video.writer import Cut, OutputShape, write_joined

# Frames that wait between the decoder and the stages, and between these and the encoder.
_AHEAD = 4
# Bytes of samples of all frames under way. A frame is held as it was decoded, as RGB, and as the result.
_MOST_BYTES = 512 << 20
# Flag of a container that keeps the codec's headers apart (AVFMT_GLOBALHEADER).
_GLOBAL_HEADER = 0x40


class FrameProgress(Protocol):
    """Is told how far a video is."""

    def begin(self, name: Path, frames: int, done: int) -> None:
        """A video begins. frames: how many it has, 0 if it does not say; done: by an earlier run."""

    def frame(self) -> None:
        """One more frame is done."""


@dataclass(frozen=True)
class VideoResult:
    """What became of one video."""

    frames_in: int
    """Frames decoded, those that an earlier run restored included."""
    frames_out: int
    """Frames in the output; in the segments, where the run was interrupted."""
    resumed: int
    """Those of them that an earlier run had restored."""
    seconds: float
    """How long the output is."""
    counts: Mapping[str, int]
    """What was counted in its frames: see `counts`."""
    codec: str
    """The output's codec."""
    pixel_format: str
    """The output's layout of samples."""
    notes: list[str] = field(default_factory=list)
    """What a user may not expect of it."""
    cut_off: str = ""
    """What of the input could not be read, as a sentence; empty where all was."""
    finished: bool = True
    """Whether the output is written; False after an interrupt."""


class VideoRun:
    """Restores videos, one after the other, by the same pipelines."""

    def __init__(
        self,
        pipelines: list[FramePipeline],
        clock: Clock,
        options: VideoOptions,
        stopped: threading.Event,
        progress: FrameProgress,
    ) -> None:
        """Takes what restores.

        Args:
            pipelines: One for each device.
            clock: Times decoder and encoder.
            options: How videos are read and written.
            stopped: Once it is set, no further frame is decoded; those under way are kept.
            progress: Is told of each frame.
        """
        self._pipelines = pipelines
        self._clock = clock
        self._options = options
        self._stopped = stopped
        self._progress = progress

    def restore(self, item: VideoItem) -> VideoResult:
        """Restores one video into its output, which appears whole or not at all.

        Raises:
            VideoError: It cannot be read, or not be written as it was asked for.
            OSError: A file cannot be read or written.
            GpenError: The network or the device fails.
        """
        facts = probe_video(item.source, deinterlace=self._options.deinterlace)
        stream = encoded_stream(facts, item, self._options)
        store = SegmentStore(item.target)
        with store.opened(self._key(item, stream), afresh=self._options.overwrite):
            resumed = store.frames
            self._progress.begin(item.source, facts.stream.frames, resumed)
            cut_off, error = ("", "") if store.is_complete else self._encode(item, stream, store)
            result = VideoResult(
                store.frames,
                store.frames,
                resumed,
                _seconds(stream, store),
                summed(each.counts for each in store.segments),
                stream.encoding.codec,
                stream.encoding.pixel_format,
                [*_notes(facts, stream, error, chosen=self._options.codec is not None)],
                cut_off,
                store.is_complete,
            )
            if store.is_complete:
                result.notes.extend(_join(item, facts, stream, store, self._options))
            return result

    def _encode(self, item: VideoItem, stream: EncodedStream, store: SegmentStore) -> tuple[str, str]:
        """Restores the frames that are not done yet; returns what could not be read, and the first frame's error."""
        writer = SegmentWriter(stream, store, self._clock)
        with (
            VideoReader(item.source, deinterlace=self._options.deinterlace) as reader,
            contextlib.closing(ReadAheadThread(self._decoded(reader, store.frames), _AHEAD)) as frames,
        ):
            with SinkThread(writer.take, _AHEAD) as encoder:
                for done in self._restored(item, stream, frames):
                    encoder.put(done)
                    self._progress.frame()
            writer.finish()
            if self._stopped.is_set():
                return "", writer.counts.first_error
            if not store.frames:
                raise VideoError(
                    f"no frame between --start {self._options.start or 0} and --end {self._options.end or 'the end'}: "
                    f"it has {float(reader.state.end or 0):.1f} s."
                )
            store.complete()
            return reader.cut_off(), writer.counts.first_error

    def _decoded(self, reader: VideoReader, done: int) -> Iterator[DecodedFrame]:
        """The frames after the first `done` ones. These are decoded again, because only so is their number certain."""
        frames = reader.frames(self._options.start_s, self._options.end_s)
        while not self._stopped.is_set():
            with self._clock.span("decode", on_device=False):
                frame = next(frames, None)
            if frame is None:
                return
            if frame.index >= done:
                yield frame

    def _restored(
        self, item: VideoItem, stream: EncodedStream, frames: ReadAheadThread[DecodedFrame]
    ) -> Iterator[DoneFrame]:
        """The frames through the stages, in their order; one that fails stays as it was decoded."""
        engine = Engine(
            *self._pipelines,
            most_pictures=self._most_frames(stream),
            most_bytes=_MOST_BYTES,
            stopped=self._stopped,
        )
        sources = (FrameSource(number, item.source, decoded=decoded) for number, decoded in enumerate(frames))
        for done in engine.run(sources, self._pipelines[0].finish):
            yield as_decoded(done) if isinstance(done, Failed) else done

    def _most_frames(self, stream: EncodedStream) -> int:
        """Frames under way: so many as fill a batch on each device while others are read and written."""
        size = stream.facts.width * stream.facts.height * 3
        batches = sum(2 * each.runtime.generator.batch_size + 6 for each in self._pipelines)
        return max(8, min(batches, _MOST_BYTES // (3 * size)))

    def _key(self, item: VideoItem, stream: EncodedStream) -> dict[str, object]:
        """What the segments depend on."""
        runtime, status = self._pipelines[0].runtime, item.source.stat()
        return {
            "version": __version__,
            "libraries": {name: list(number) for name, number in av.library_versions.items()},
            "input": [str(item.source.resolve()), status.st_size, status.st_mtime_ns],
            "part": [self._options.start, self._options.end, self._options.deinterlace],
            "encoding": asdict(stream.encoding),
            "container": item.container,
            "settings": {name: str(value) for name, value in runtime.settings.as_flat().items()},
            "network": [
                runtime.model,
                runtime.weights.sha256(),
                runtime.detector.name,
                runtime.precision.name,
            ],
        }


def encoded_stream(facts: VideoFacts, item: VideoItem, options: VideoOptions) -> EncodedStream:
    """How the restored stream of a video is encoded.

    Raises:
        VideoError: What was asked for does not exist here, or does not fit together.
    """
    stream, shape = facts.stream, (facts.stream.width, facts.stream.height)
    wish = EncodingWish(options.codec, options.crf, options.preset, options.pixel_format)
    encoding = choose_encoding(wish, stream.codec, stream.pixel_format, stream.profile, shape, item.container)
    flags = av.format.ContainerFormat(item.container, "w").flags
    return EncodedStream(encoding, stream, bool(flags & _GLOBAL_HEADER), facts.light)


def _join(
    item: VideoItem, facts: VideoFacts, stream: EncodedStream, store: SegmentStore, options: VideoOptions
) -> list[str]:
    """Writes the output from the segments, and removes these."""
    notes: list[str] = []
    shape = OutputShape(item.container, stream, facts.display_matrix, _cut(stream, store, options))
    reordered = max(each.reordered for each in store.segments)
    fill_file(
        item.target,
        lambda file: notes.extend(write_joined(file, shape, item.source, store.read(), reordered)),
    )
    store.remove()
    return notes


def _cut(stream: EncodedStream, store: SegmentStore, options: VideoOptions) -> Cut:
    """The part of the input that was asked for; its first frame is shown at zero."""
    if options.start is None and options.end is None:
        return Cut()
    first = last = None
    for segment in store.read():
        first = segment.times[0] if first is None else first
        last = segment.times[-1]
    assert first is not None and last is not None, "a complete store has frames"
    base = stream.facts.time_base
    begin = first.pts * base if options.start is not None else None
    step = last.duration * base or 1 / stream.facts.rate
    end = last.pts * base + step if options.end is not None else None
    return Cut(begin, end, begin or Fraction(0))


def _notes(facts: VideoFacts, stream: EncodedStream, error: str, *, chosen: bool) -> Iterator[str]:
    """What a user may not expect. chosen: the user named the codec."""
    if facts.light and not keeps_light(stream.encoding):
        yield f"{stream.encoding.codec} does not hold the HDR metadata of the mastering display: it is left out."
    if facts.dynamic:
        yield f"the {facts.dynamic} metadata of each frame is left out: no encoder here writes it."
    if stream.encoding.codec != facts.stream.codec and not chosen:
        yield f"written as {stream.encoding.codec}; the input is {facts.stream.codec}."
    if error:
        yield f"some frames could not be restored and are as they were; the first because: {error}"


def _seconds(stream: EncodedStream, store: SegmentStore) -> float:
    """How long the frames are shown that are done."""
    if not store.segments:
        return 0.0
    first, last = store.segments[0].begin, store.segments[-1].end
    return float((last - first) * stream.facts.time_base)
