"""The faces that are known before a run, and a writer for those that the run detects."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gpen_fast.detections.file_format import (
    FILE_KEY,
    PIXELS_KEY,
    DetectionEntry,
    Found,
    check_face,
    json_line,
    read_detections,
)
from gpen_fast.errors import LandmarksError, reason
from gpen_fast.files import locked, sha256_of_file, write_file
from gpen_fast.settings import AUTO_SIZE, DetectOptions
from gpen_fast.stages.detect.base import Detector
from gpen_fast.types import Face, Frame

# Seconds between two writes during a run: a crash loses at most this much, and writing the whole file stays rare.
_WRITE_INTERVAL_S = 20.0


def content_key(source: object, frame: Frame) -> str:
    """Returns the key of a picture: the hash of the file's bytes, or of the pixels if there is no file.

    Args:
        source: What was loaded: a path or an array. A file is read here only if its frame carries no hash.
        frame: The loaded picture.

    Raises:
        OSError: The file cannot be read.
    """
    if frame.sha256:
        return FILE_KEY + frame.sha256
    if isinstance(source, Path):
        return FILE_KEY + sha256_of_file(source)
    pixels = frame.on_host.permute(1, 2, 0).contiguous().numpy()
    # Shape and type belong to the key: the same bytes in another shape are another picture.
    digest = hashlib.sha256(repr((pixels.shape, pixels.dtype.str)).encode() + pixels.tobytes())
    return PIXELS_KEY + digest.hexdigest()


def found_by(detector: Detector, faces: Sequence[Face], options: DetectOptions) -> Found:
    """Returns the faces that a detector found, with how it searched.

    Args:
        detector: The detector.
        faces: What it found, before any choice among the faces.
        options: The options that it was run with.
    """
    return Found(tuple(faces), detector.name, detector.box_points, detector.threshold, options.detect_size)


class CacheCounts(NamedTuple):
    """What a `DetectionCache` counted."""

    hits: int
    """As in `DetectionCache`."""
    misses: int
    """As in `DetectionCache`."""
    used: set[str]
    """Keys of entries that applied to a picture."""
    incompatible: set[str]
    """Keys of entries that matched a picture and do not apply."""


class DetectionCache:
    """The entries of a file of landmarks. It counts which of them the run could use. Safe to use from several threads.

    Args:
        path: The file.
        options: How the run detects faces. An entry applies unless they name another detector, another size, or a
            lower threshold than its own.

    Raises:
        LandmarksError: The file cannot be read.
    """

    def __init__(self, path: Path, options: DetectOptions) -> None:
        self.path = path
        """The file."""
        self._entries = read_detections(path)
        self._options = options
        self.hits = 0
        """Pictures whose faces were in the file; two pictures of one content count twice."""
        self.misses = 0
        """Pictures whose faces had to be detected."""
        # Keys of entries that matched a picture: used, or found by another search.
        self._used: set[str] = set()
        self._incompatible: set[str] = set()
        self._lock = threading.Lock()

    def find(self, key: str, frame: Frame) -> Found | None:
        """Looks up the faces of a picture.

        Args:
            key: The picture's `content_key`.
            frame: The loaded picture.

        Returns:
            All faces of the entry, so that they can be written whole again: faces below a higher threshold are left
            out by the choice that follows. None if there is no entry, or if it does not apply.

        Raises:
            LandmarksError: The entry is for a picture of another size.
        """
        entry = self._entries.get(key)
        applies = entry is not None and _applies(entry.found, self._options)
        self._count(key, applies)
        if entry is None or not applies:
            return None
        if (entry.width, entry.height) != (frame.width, frame.height):
            raise LandmarksError(
                f"{self.path} holds its faces for {entry.width}x{entry.height} pixels, but the picture has "
                f"{frame.width}x{frame.height}. Remove its line."
            )
        return entry.found

    def _count(self, key: str, applies: bool) -> None:
        with self._lock:
            self.hits += applies
            self.misses += not applies
            if key in self._entries:
                (self._used if applies else self._incompatible).add(key)

    def taken_counts(self) -> CacheCounts:
        """What was counted since the last call: in a forked child, for its parent's `add_counts`."""
        with self._lock:
            counts = CacheCounts(self.hits, self.misses, self._used.copy(), self._incompatible.copy())
            self.hits = self.misses = 0
            self._used.clear()
            self._incompatible.clear()
        return counts

    def add_counts(self, counts: CacheCounts) -> None:
        """Adds what a forked child counted."""
        with self._lock:
            self.hits += counts.hits
            self.misses += counts.misses
            self._used |= counts.used
            self._incompatible |= counts.incompatible

    @property
    def any_applies(self) -> bool:
        """Whether at least one entry applies."""
        return any(_applies(entry.found, self._options) for entry in self._entries.values())

    @property
    def unmatched(self) -> int:
        """Entries that matched no picture so far."""
        return len(self._entries) - len(self._used | self._incompatible)

    @property
    def incompatible(self) -> int:
        """Entries that matched a picture but do not apply: by another detector, size or threshold."""
        return len(self._incompatible)


def _applies(found: Found, options: DetectOptions) -> bool:
    """Whether a new search with these options would find nothing that the entry lacks."""
    wanted = options.detect_threshold
    return (
        options.detector in ("auto", found.detector)
        and (options.detect_size == AUTO_SIZE or found.size in (None, options.detect_size))
        and (wanted is None or found.threshold is None or wanted >= found.threshold)
        # An entry does not say whether turned faces were searched.
        and (bool(found.faces) or not options.any_angle)
    )


@dataclass(eq=False)
class DetectionWriter:
    """Adds the faces that a run detects to a file of landmarks. Safe to use from several threads.

    The whole file is rewritten every 20 seconds and at the end. Entries of other pictures stay in it.
    """

    path: Path
    """The file."""

    before: dict[str, DetectionEntry] = field(default_factory=dict)
    """The entries that were in the file, by picture."""

    entries: dict[str, DetectionEntry] = field(default_factory=dict)
    """The entries of this run, by picture."""

    added: int = 0
    """Pictures whose faces were added so far."""

    written: int = 0
    """How many of them are in the file."""

    _last_write: float = field(default_factory=lambda: time.monotonic())
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _handed_on: list[DetectionEntry] | None = None

    @classmethod
    def open(cls, path: Path) -> DetectionWriter:
        """Returns a writer that adds to `path` if the file exists, and creates it otherwise.

        Raises:
            LandmarksError: The file cannot be read, or its folder does not exist.
        """
        if not path.absolute().parent.is_dir():
            raise LandmarksError(f"{path}: there is no folder {path.parent}. Create it first.")
        return cls(path, read_detections(path) if path.exists() else {})

    def add(self, entry: DetectionEntry) -> None:
        """Adds the faces of one picture, unless one of them is invalid and could not be read back."""
        try:
            for face in entry.found.faces:
                check_face(face, entry.width, entry.height)
        except LandmarksError:
            return
        with self._lock:
            if self._handed_on is not None:
                self._handed_on.append(entry)
                return
            self.entries[entry.picture] = entry
            self.added += 1
            if time.monotonic() - self._last_write > _WRITE_INTERVAL_S:
                # A failed write is no fault of this picture: it is tried again, and the last write reports it.
                with contextlib.suppress(LandmarksError):
                    self._write()

    def taken_entries(self) -> list[DetectionEntry]:
        """In a forked child: from now on entries are not written; returns those since the last call, for the parent."""
        with self._lock:
            entries, self._handed_on = self._handed_on or [], []
        return entries

    def write(self) -> None:
        """Writes the entries that are not in the file yet.

        Raises:
            LandmarksError: The file cannot be written.
        """
        with self._lock:
            if self.written < self.added or not self.path.exists():
                self._write()

    def _write(self) -> None:
        self._last_write = time.monotonic()
        try:
            with locked(self.path):
                # Another run may have added entries since this one read the file.
                self.before |= read_detections(self.path) if self.path.exists() else {}
                lines = [json_line(entry) + "\n" for entry in (self.before | self.entries).values()]
                write_file(self.path, "".join(lines).encode())
        except OSError as cause:
            raise LandmarksError(f"{self.path}: cannot be written: {reason(cause, self.path)}.") from cause
        self.written = self.added
