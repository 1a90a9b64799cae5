"""Segments of a video that is being restored, kept beside its output until they are joined.

A run that is killed leaves whole segments: each is written under a temporary name and renamed. The next run with the
same input and settings begins after the last of them.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.errors import VideoError
from gpen_fast.files import STATE_FOLDER, remove_leftovers, write_file
from gpen_fast.run.video.work_folder import has_key, held_folder, remove_folder, write_key
from gpen_fast.video.segment import EncodedSegment

_COMPLETE, _SUFFIX = "complete", ".segment"


@dataclass(frozen=True)
class KeptSegment:
    """What is known of a segment without its packets."""

    path: Path
    """Its file."""
    first: int
    """Number of its first frame."""
    frames: int
    """How many it has."""
    reordered: int
    """See `EncodedSegment`."""
    begin: int
    """When its first frame is shown, in the time base of the input's stream."""
    end: int
    """When its last frame ends, likewise."""
    counts: Mapping[str, int]
    """See `EncodedSegment`."""


class SegmentStore:
    """The segments of one output. Used by one run at a time."""

    def __init__(self, target: Path) -> None:
        """Touches nothing yet. target: the output file."""
        # The name alone may be too long for a folder of it.
        name = hashlib.sha256(target.name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self.folder = target.parent / STATE_FOLDER / f"video-{name}"
        self._target = target
        self._segments: list[KeptSegment] = []

    @contextlib.contextmanager
    def opened(self, key: Mapping[str, object], *, afresh: bool = False) -> Iterator[None]:
        """Holds the store, with the whole segments that an earlier run with the same key left.

        Args:
            key: What the segments depend on: the input and the settings. Strings, numbers, lists and dicts.
            afresh: Drops what an earlier run left.

        Raises:
            InputsError: Another run writes the same output.
            OSError: The folder cannot be made or read.
        """
        with held_folder(self.folder, self._target):
            self._settle(key, afresh)
            yield

    @property
    def segments(self) -> tuple[KeptSegment, ...]:
        """The whole segments, in their order: each begins where the one before ends."""
        return tuple(self._segments)

    @property
    def frames(self) -> int:
        """Frames that are done."""
        return sum(each.frames for each in self._segments)

    @property
    def is_complete(self) -> bool:
        """Whether the input's last frame is done."""
        path = self.folder / _COMPLETE
        return bool(self._segments) and path.is_file() and path.read_text() == str(self.frames)

    def complete(self) -> None:
        """Notes that the input has no further frames."""
        write_file(self.folder / _COMPLETE, str(self.frames).encode())

    def add(self, segment: EncodedSegment) -> None:
        """Writes a segment, whole or not at all."""
        path = self.folder / f"{segment.first:010d}{_SUFFIX}"
        write_file(path, segment.to_bytes())
        self._segments.append(_kept(path, segment))

    def read(self) -> Iterator[EncodedSegment]:
        """The segments, one at a time."""
        for each in self._segments:
            yield EncodedSegment.from_bytes(each.path.read_bytes())

    def remove(self) -> None:
        """Removes everything, once the output is written."""
        remove_folder(self.folder)
        self._segments.clear()

    def _settle(self, key: Mapping[str, object], afresh: bool) -> None:
        for folder in (self.folder, self._target.parent):
            remove_leftovers(folder)
        if afresh or not has_key(self.folder, key):
            for left in self.folder.glob(f"*{_SUFFIX}"):
                left.unlink()
            (self.folder / _COMPLETE).unlink(missing_ok=True)
            write_key(self.folder, key)
        self._segments = []
        for found in sorted(self.folder.glob(f"*{_SUFFIX}")):
            segment = self._next(found)
            if segment is None:
                found.unlink()
            else:
                self._segments.append(segment)

    def _next(self, path: Path) -> KeptSegment | None:
        """The segment of a file, if it is whole and continues the others."""
        try:
            segment = EncodedSegment.from_bytes(path.read_bytes())
        except VideoError:
            return None
        return _kept(path, segment) if segment.first == self.frames else None


def _kept(path: Path, segment: EncodedSegment) -> KeptSegment:
    first, last = segment.times[0], segment.times[-1]
    return KeptSegment(
        path,
        segment.first,
        len(segment.times),
        segment.reordered,
        first.pts,
        last.pts + last.duration,
        segment.counts,
    )
