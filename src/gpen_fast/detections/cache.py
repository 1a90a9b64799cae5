"""The faces that are known before a run, and those that it finds."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpen_fast.detections.file_format import FILE_KEY, PIXELS_KEY, Entry, Found, check, line, read
from gpen_fast.errors import LandmarksError, reason
from gpen_fast.files import locked, write_file
from gpen_fast.settings import AUTO_SIZE, Settings
from gpen_fast.stages.detect.base import Detector
from gpen_fast.types import Face, Frame

# Between two writings of what a run has found so far.
_SECONDS = 20.0


def key_of(source: Any, frame: Frame) -> str:
    """The content of a picture: of the file's bytes, or of the pixels where there is no file.

    The file is read here only where its frame was loaded without a hash. Raises OSError.
    """
    if frame.sha256:
        return FILE_KEY + frame.sha256
    if isinstance(source, Path):
        with source.open("rb") as file:
            return FILE_KEY + hashlib.file_digest(file, "sha256").hexdigest()
    pixels = frame.on_host.permute(1, 2, 0).contiguous().numpy()
    return (
        PIXELS_KEY
        + hashlib.sha256(repr((pixels.shape, pixels.dtype.str)).encode() + pixels.tobytes()).hexdigest()
    )


def found_by(detector: Detector, faces: Sequence[Face], settings: Settings) -> Found:
    """What `detector` has found, with how it searched."""
    size = settings.detect_size
    return Found(tuple(faces), detector.name, detector.box_points, detector.threshold, size)


class DetectionCache:
    """The entries of a file, handed out picture by picture; counts which were of use.

    used, searched: pictures whose faces were known, and those whose were not; of two with one content, both.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self._entries = read(path)
        self._settings = settings
        self.used = self.searched = 0
        self._used: set[str] = set()
        self._of_others: set[str] = set()
        self._lock = threading.Lock()

    def find(self, key: str, frame: Frame) -> Found | None:
        """What is known of a picture; None where nothing is, or where it was searched otherwise than asked for now.

        An entry counts unless the settings name another detector, another size, or a lower threshold than its
        own. Its faces come whole, so that they can be kept whole: `choose` leaves out those below a higher
        threshold. Raises LandmarksError where the entry is of a picture of another size.
        """
        entry = self._entries.get(key)
        fits = entry is not None and _fits(entry.found, self._settings)
        self._count(key, fits)
        if entry is None or not fits:
            return None
        if (entry.width, entry.height) != (frame.width, frame.height):
            raise LandmarksError(
                f"{self.path} has faces for it in {entry.width}x{entry.height} pixels, and it is "
                f"{frame.width}x{frame.height}. Remove its line."
            )
        return entry.found

    def _count(self, key: str, fits: bool) -> None:
        with self._lock:
            self.used += fits
            self.searched += not fits
            if key in self._entries:
                (self._used if fits else self._of_others).add(key)

    @property
    def of_use(self) -> bool:
        """Whether any entry may be used by these settings."""
        return any(_fits(entry.found, self._settings) for entry in self._entries.values())

    @property
    def unused(self) -> int:
        """Entries of no picture so far."""
        return len(self._entries) - len(self._used | self._of_others)

    @property
    def searched_otherwise(self) -> int:
        """Entries of pictures that the settings want searched in another way."""
        return len(self._of_others)


def _fits(found: Found, settings: Settings) -> bool:
    asked = settings.detect_threshold
    return (
        settings.detector in ("auto", found.detector)
        and (settings.detect_size == AUTO_SIZE or found.size in (None, settings.detect_size))
        and (asked is None or found.threshold is None or asked >= found.threshold)
    )


@dataclass(eq=False)
class DetectionWriter:
    """Writes what is found into a file, beside what is in it already: whole, every now and then and at the end.

    entries: what this run found. before: what was in the file. kept, saved: pictures kept so far, and of these in
    the file.
    """

    path: Path
    before: dict[str, Entry] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    kept: int = 0
    saved: int = 0
    _tried: float = field(default_factory=lambda: time.monotonic())
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def beside(cls, path: Path) -> DetectionWriter:
        """Adds to `path` where it exists. LandmarksError where it cannot be read or has no folder."""
        if not path.absolute().parent.is_dir():
            raise LandmarksError(f"{path}: there is no folder {path.parent}. Make it first.")
        return cls(path, read(path) if path.exists() else {})

    def keep(self, entry: Entry) -> None:
        """Remembers one picture's faces; unless one of them could not be read back."""
        try:
            for face in entry.found.faces:
                check(face, entry.width, entry.height)
        except LandmarksError:
            return
        with self._lock:
            self.entries[entry.picture] = entry
            self.kept += 1
            if time.monotonic() - self._tried > _SECONDS:
                # The picture can do nothing for it. It is tried again, and told at the end.
                with contextlib.suppress(LandmarksError):
                    self._write()

    def write(self) -> None:
        """Writes what is not yet written. LandmarksError where that fails."""
        with self._lock:
            if self.saved < self.kept or not self.path.exists():
                self._write()

    def _write(self) -> None:
        self._tried = time.monotonic()
        try:
            with locked(self.path):
                # Another run may have added to it meanwhile.
                there = read(self.path) if self.path.exists() else {}
                self.before |= there
                lines = "".join(line(entry) + "\n" for entry in (self.before | self.entries).values())
                write_file(self.path, lines.encode())
        except OSError as cause:
            raise LandmarksError(f"{self.path}: cannot be written: {reason(cause, self.path)}.") from cause
        self.saved = self.kept
