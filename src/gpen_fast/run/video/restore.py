"""Restores one film: decode, stages and encode overlapped, then segments joined, or pictures written."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

import av

from gpen_fast import __version__
from gpen_fast.errors import VideoError
from gpen_fast.measure.clock import Clock
from gpen_fast.run.engine import Engine
from gpen_fast.run.job import Failed
from gpen_fast.run.video.counts import FrameCounts, summed
from gpen_fast.run.video.films import (
    PICTURES_CODEC,
    DecodedFilm,
    PictureFilm,
    film_facts,
    input_key,
    part_of,
)
from gpen_fast.run.video.frames import DoneFrame, FilmSource, as_decoded
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.joined import encoded_stream, encoding_notes, join_segments, shown_seconds
from gpen_fast.run.video.line_state import read_state
from gpen_fast.run.video.picture_encoder import PictureEncoder
from gpen_fast.run.video.picture_store import PictureStore
from gpen_fast.run.video.picture_times import pictures_notes, write_times
from gpen_fast.run.video.picture_writer import PictureWriter
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.run.video.segments import SegmentWriter
from gpen_fast.run.video.steady_line import SteadyLine
from gpen_fast.run.video.store import SegmentStore
from gpen_fast.run.video.threads import ReadAheadThread, SinkThread
from gpen_fast.settings import VideoOptions
from gpen_fast.stages.detect.lite import LandmarkReader
from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.probe import VideoFacts
from gpen_fast.video.track import Tracker

# Frames that wait between the decoder and the stages, and between these and the encoder.
_AHEAD = 4
# Bytes of samples of all frames under way. A frame is held as it was decoded, as RGB, and as the result.
_MOST_BYTES = 512 << 20


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
        """Restores one film: a video appears whole or not at all, each picture likewise.

        Raises:
            VideoError: It cannot be read, or not be written as it was asked for.
            OSError: A file cannot be read or written.
            GpenError: The network or the device fails.
        """
        facts = film_facts(item, self._options)
        return self._into_video(item, facts) if item.pictures is None else self._into_pictures(item, facts)

    def _into_video(self, item: VideoItem, facts: VideoFacts) -> VideoResult:
        stream = encoded_stream(facts, item, self._options)
        store = SegmentStore(item.target)
        key = {**self._key(item), "encoding": asdict(stream.encoding), "container": item.container}
        with store.opened(key, afresh=self._options.overwrite):
            resumed, cut_off = store.frames, ""
            self._progress.begin(item.source, facts.stream.frames, resumed)
            notes = list(encoding_notes(facts, stream, chosen=self._options.codec is not None))
            if not store.is_complete:
                segments = SegmentWriter(stream, store, self._clock)
                with contextlib.closing(self._opened(item)) as film:
                    if isinstance(film, DecodedFilm):
                        notes += film.notes()
                        cut_off = self._fill(item, facts.stream, film, segments, store)
                        notes += _unrestored_note(segments.counts)
                    elif item.sequence is not None:
                        places = part_of(item.sequence, self._options)
                        writer = PictureEncoder(segments, stream, item.sequence, places)
                        self._fill(item, facts.stream, film, writer, store)
                        cut_off = writer.not_restored()
            result = VideoResult(
                store.frames,
                store.frames,
                resumed,
                shown_seconds(stream, store),
                summed(each.counts for each in store.segments),
                stream.encoding.codec,
                stream.encoding.pixel_format,
                notes,
                cut_off,
                store.is_complete,
            )
            if store.is_complete:
                result.notes.extend(join_segments(item, facts, stream, store, self._options))
            return result

    def _into_pictures(self, item: VideoItem, facts: VideoFacts) -> VideoResult:
        places = part_of(item.sequence, self._options) if item.sequence is not None else range(0)
        store = PictureStore(item, places)
        with (
            store.opened(self._key(item), afresh=self._options.overwrite),
            contextlib.closing(self._opened(item)) as film,
        ):
            resumed, notes = store.frames, []
            self._progress.begin(item.source, facts.stream.frames, resumed)
            rotation = (lambda: film.rotation) if isinstance(film, DecodedFilm) else lambda: 0
            with contextlib.closing(PictureWriter(store, self._clock, facts.stream.rate, rotation)) as writer:
                cut_off = self._fill(item, facts.stream, film, writer, store)
            if isinstance(film, DecodedFilm):
                notes = [*film.notes(), *_unrestored_note(writer.counts), *pictures_notes(film, facts)]
                if store.is_complete:
                    write_times(film, store, item)
            if store.is_complete:
                store.remove()
            return VideoResult(
                store.frames,
                store.frames,
                resumed,
                float(store.frames / facts.stream.rate),
                store.counts,
                PICTURES_CODEC,
                "",
                notes,
                cut_off or writer.not_restored(),
                store.is_complete,
            )

    def _opened(self, item: VideoItem) -> DecodedFilm | PictureFilm:
        if item.sequence is None:
            return DecodedFilm(item, self._options, self._clock, self._stopped)
        return PictureFilm(item, self._options, self._stopped)

    def _fill(
        self,
        item: VideoItem,
        stream: StreamFacts,
        film: DecodedFilm | PictureFilm,
        writer: SegmentWriter | PictureEncoder | PictureWriter,
        store: SegmentStore | PictureStore,
    ) -> str:
        """Restores the frames that are not done yet; returns what could not be read."""
        with contextlib.closing(ReadAheadThread(film.sources(store.frames), _AHEAD)) as frames:
            line = self._steady_line()
            # Closed before the thread that decodes, which the threads within wait for.
            restored = self._restored(stream, iter(frames), line, store)
            with contextlib.closing(restored), SinkThread(writer.take, _AHEAD) as sink:
                for done in restored:
                    sink.put(done)
                    self._progress.frame()
            writer.finish(line.next_state.to_bytes if line and line.next_state else None)
        if self._stopped.is_set():
            return ""
        if not store.frames:
            raise VideoError(
                f"no frame between --start {self._options.start or 0} and --end {self._options.end or 'the end'}"
                f"{film.length()}."
            )
        store.complete()
        return film.cut_off()

    def _steady_line(self) -> SteadyLine | None:
        """What restores frames with those around them; None where each is restored alone."""
        if not self._options.temporal:
            return None
        tracker = Tracker(
            LandmarkReader(self._pipelines[0].runtime.settings.weights),
            detect_every=self._options.detect_every,
        )
        return SteadyLine(self._pipelines[0], tracker, self._options.temporal, self._stopped)

    def _restored(
        self,
        stream: StreamFacts,
        sources: Iterator[FilmSource],
        line: SteadyLine | None,
        store: SegmentStore | PictureStore,
    ) -> Generator[DoneFrame]:
        """The frames through the stages, in their order; one that fails stays as it was decoded."""
        if line is not None:
            state = read_state(store.folder, store.frames, self._pipelines[0].runtime.device)
            yield from line.restored(sources, stream.time_base, state)
            return
        engine = Engine(
            *self._pipelines,
            most_pictures=self._most_frames(stream),
            most_bytes=_MOST_BYTES,
            stopped=self._stopped,
        )
        for done in engine.run(sources, self._pipelines[0].finish):
            yield as_decoded(done) if isinstance(done, Failed) else done

    def _most_frames(self, stream: StreamFacts) -> int:
        """Frames under way: so many as fill a batch on each device while others are read and written."""
        size = stream.width * stream.height * 3
        batches = sum(2 * each.runtime.generator.batch_size + 6 for each in self._pipelines)
        return max(8, min(batches, _MOST_BYTES // (3 * size)))

    def _key(self, item: VideoItem) -> dict[str, object]:
        """What the done frames depend on."""
        runtime = self._pipelines[0].runtime
        return {
            "version": __version__,
            "libraries": {name: list(number) for name, number in av.library_versions.items()},
            "input": input_key(item, self._options),
            "part": [
                self._options.start,
                self._options.end,
                self._options.deinterlace,
                self._options.hwaccel,
            ],
            "temporal": [self._options.temporal, self._options.detect_every],
            "settings": {name: str(value) for name, value in runtime.settings.as_flat().items()},
            "network": [
                runtime.model,
                runtime.weights.sha256(),
                runtime.detector.name,
                runtime.precision.name,
            ],
            **({"pictures": item.pictures.name(0)} if item.pictures else {}),
        }


def _unrestored_note(counts: FrameCounts) -> list[str]:
    if not counts.first_error:
        return []
    return [
        f"some frames could not be restored and are as they were; the first because: {counts.first_error}"
    ]
