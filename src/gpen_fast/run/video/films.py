"""What a run takes its frames from: a video that is decoded, or numbered pictures that are read."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import torch
from PIL import Image

from gpen_fast.errors import GpenError, VideoError, summary
from gpen_fast.measure.clock import Clock
from gpen_fast.run.video.frames import FilmSource, FrameSource
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.numbered import FrameSequence, frames_between
from gpen_fast.settings import LoadOptions, VideoOptions
from gpen_fast.stages.load import load
from gpen_fast.types import Frame
from gpen_fast.video.facts import ColourTags, StreamFacts
from gpen_fast.video.probe import VideoFacts, probe_video
from gpen_fast.video.reader import VideoReader
from gpen_fast.video.segment import FrameTime

# What pictures are called where a video has the name of its codec.
PICTURES_CODEC = "pictures"
# Formats whose header tells the size without decoding. Pillow tries no others, some of which run programs.
_HEADERS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "PPM", "TGA")


@dataclass(frozen=True, eq=False)
class PictureFrameSource(FilmSource):
    """A numbered picture that is to be restored."""

    place: int
    """Its place among the pictures of the part that is restored, from 0."""

    @property
    def number(self) -> int:
        """As in `FilmSource`."""
        return self.place

    @property
    def time(self) -> FrameTime:
        """As in `FilmSource`: the time base is one picture."""
        return FrameTime(self.place, 1)


class DecodedFilm:
    """A video."""

    def __init__(
        self, item: VideoItem, options: VideoOptions, clock: Clock, stopped: threading.Event
    ) -> None:
        """Opens the video. Raises VideoError or OSError where that cannot be read."""
        self._item = item
        self._options = options
        self._clock = clock
        self._stopped = stopped
        self.reader = VideoReader(item.source, deinterlace=options.deinterlace, hwaccel=options.hwaccel)
        self.times: list[int] = []
        """Time stamps of the frames so far, those of an earlier run included."""
        self.rotation = 0
        """Degrees by which players turn the frames."""

    def sources(self, done: int) -> Iterator[FilmSource]:
        """The frames after the first `done` ones, until the run is stopped.

        Earlier frames are decoded again, because only so is their number certain.
        """
        frames, index = self.reader.frames(self._options.start_s, self._options.end_s), 0
        while not self._stopped.is_set():
            at = len(self.times) - done
            with self._clock.span("decode", on_device=False, pictures=(at,)):
                frame = next(frames, None)
            if frame is None:
                return
            self.times.append(frame.pts)
            self.rotation = frame.rotation
            if frame.index >= done:
                yield FrameSource(index, self._item.source, decoded=frame)
                index += 1

    def cut_off(self) -> str:
        """What could not be read, as a sentence; empty where all was. For after the last frame."""
        return self.reader.cut_off()

    def length(self) -> str:
        """How long it is, as the end of a sentence. For after the last frame."""
        return f": it has {float(self.reader.state.end or 0):.1f} s"

    def notes(self) -> list[str]:
        """What a user may not expect of the decoding."""
        return [self.reader.software_note] if self.reader.software_note else []

    def close(self) -> None:
        """Closes the file."""
        self.reader.close()


class PictureFilm:
    """Numbered pictures."""

    def __init__(self, item: VideoItem, options: VideoOptions, stopped: threading.Event) -> None:
        """Opens nothing: each picture is read when its turn comes."""
        assert item.sequence is not None, "a film of pictures"
        self._sequence = item.sequence
        self._part = part_of(item.sequence, options)
        self._stopped = stopped

    def sources(self, done: int) -> Iterator[FilmSource]:
        """The pictures after the first `done` ones, until the run is stopped."""
        for index, place in enumerate(range(done, len(self._part))):
            if self._stopped.is_set():
                return
            yield PictureFrameSource(index, self._sequence.path(self._part[place]), place)

    def cut_off(self) -> str:
        """Nothing: pictures that cannot be read are named where they are written."""
        return ""

    def length(self) -> str:
        """How many they are, as the end of a sentence."""
        return f": it has {len(self._sequence)} pictures"

    def close(self) -> None:
        """Closes nothing."""


def part_of(sequence: FrameSequence, options: VideoOptions) -> range:
    """The pictures that --start and --end leave."""
    return frames_between(len(sequence), options.rate_or_film, options.start_s, options.end_s)


def film_facts(item: VideoItem, options: VideoOptions) -> VideoFacts:
    """What is known of an input before it is restored.

    Raises:
        VideoError: It cannot be read, or has no frames; its pictures differ in size.
        OSError: It cannot be read.
    """
    if item.sequence is None:
        return probe_video(item.source, deinterlace=options.deinterlace)
    part = part_of(item.sequence, options)
    if not part:
        raise VideoError(
            f"no picture between --start {options.start or 0} and --end {options.end or 'the end'}: there are "
            f"{len(item.sequence)}, of {float(len(item.sequence) / options.rate_or_film):.1f} s."
        )
    first = _first_picture(item.sequence, part)
    _check_sizes(item.sequence, part, first)
    return _facts_of(first, len(part), options.rate_or_film)


def input_key(item: VideoItem, options: VideoOptions) -> list[object]:
    """What tells whether an input is as it was."""
    if item.sequence is None:
        status = item.source.stat()
        return [str(item.source.resolve()), status.st_size, status.st_mtime_ns]
    told = hashlib.sha256()
    for place in part_of(item.sequence, options):
        status = item.sequence.path(place).stat()
        told.update(f"{item.sequence.files[place]}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return [str(item.sequence.folder.resolve()), told.hexdigest(), str(options.rate_or_film)]


def _first_picture(sequence: FrameSequence, part: range) -> Frame:
    """The first picture that can be read: what it is, all of them are."""
    why = ""
    for place in part:
        try:
            return load(sequence.path(place), torch.device("cpu"), max_pixels=LoadOptions().max_pixels)
        except (GpenError, OSError) as error:
            why = why or f"{sequence.files[place]}: {summary(error)}"
    raise VideoError(f"none of its {len(part)} pictures can be read; the first because: {why}")


def _check_sizes(sequence: FrameSequence, part: range, first: Frame) -> None:
    """Refuses a change of size before anything is restored. What has no header that can be read is not looked at."""
    wanted: tuple[int, int] | None = None
    for place in part:
        try:
            with Image.open(sequence.path(place), formats=_HEADERS) as header:
                size = header.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        # A header does not say how the picture is turned: of the first both are known.
        wanted = wanted or size
        if size != wanted:
            raise VideoError(
                f"{sequence.files[place]} has {size[0]}x{size[1]} pixels, and the pictures before it have "
                f"{wanted[0]}x{wanted[1]}: a film has one size. Restore them apart, each size in a folder of its own."
            )


def _facts_of(first: Frame, count: int, rate: Fraction) -> VideoFacts:
    deep, alpha = first.pixels.dtype == torch.uint16, first.alpha is not None
    layout = ("gbrap" if alpha else "gbrp") + ("16le" if deep else "")
    stream = StreamFacts(
        index=0,
        codec=PICTURES_CODEC,
        profile="",
        pixel_format=layout,
        width=first.width,
        height=first.height,
        time_base=1 / rate,
        rate=rate,
        sample_aspect=None,
        colour=ColourTags(2, 0, 2, 2),
        seconds=float(count / rate),
        frames=count,
    )
    return VideoFacts(stream, None, None, PICTURES_CODEC, "")
