"""How far a run is that writes numbered pictures, kept in their folder until all are written.

A picture is written under a temporary name and renamed, so none is ever half there. Every few seconds of the film the
run notes how many are done and what it knows of the frames before; the next run begins there.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from gpen_fast.files import remove_leftovers, write_file
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.line_state import write_state
from gpen_fast.run.video.work_folder import (
    frames_work_folder,
    has_key,
    held_folder,
    is_keyed,
    remove_folder,
    write_key,
)

_NOTED = "progress.json"


class PictureStore:
    """The numbered pictures of one output. Used by one run at a time."""

    def __init__(self, item: VideoItem, places: range) -> None:
        """Touches nothing yet.

        Args:
            item: The film and its output.
            places: For pictures that become pictures, the places of those that are restored.
        """
        assert item.pictures is not None, "a film that becomes pictures"
        self.target = item.target
        self.folder = frames_work_folder(item.target)
        self._names = item.pictures
        self._places = places
        self.frames = 0
        """Frames that are done."""
        self.counts: Counter[str] = Counter()
        """What was counted in them."""
        self.is_complete = False
        """Whether the input's last frame is done."""

    def path(self, number: int) -> Path:
        """The picture of the frame of that number."""
        return self.target / self._names.name(self._place(number))

    @contextlib.contextmanager
    def opened(self, key: Mapping[str, object], *, afresh: bool = False) -> Iterator[None]:
        """Holds the store, with what an earlier run with the same key left.

        Args:
            key: What the pictures depend on: the input and the settings.
            afresh: Drops what an earlier run left.

        Raises:
            InputsError: Another run writes the same output.
            OSError: The folder cannot be made or read.
        """
        with held_folder(self.folder, self.target):
            for folder in (self.folder, self.target):
                remove_leftovers(folder)
            if afresh or not has_key(self.folder, key):
                self._drop(is_keyed(self.folder) and not afresh)
                write_key(self.folder, key)
            self._read()
            yield

    def note(self, frames: int, counted: Mapping[str, int], state: bytes | None) -> None:
        """Notes that so many frames are done, and written.

        Args:
            frames: How many, from the film's first.
            counted: What was counted since the last note.
            state: What a run needs that goes on after them; None where it needs nothing.
        """
        if state is not None:
            write_state(self.folder, frames, state)
        self.counts.update(counted)
        noted = json.dumps({"frames": frames, "counts": self.counts})
        write_file(self.folder / _NOTED, noted.encode())
        self.frames = frames

    def complete(self) -> None:
        """Notes that the input has no further frames; pictures of an earlier, longer result are removed."""
        self.is_complete = True
        if self._names.inputs is None:
            for name in list(self._names.existing(self.target, self.frames)):
                (self.target / name).unlink()

    def remove(self) -> None:
        """Removes the notes, once every picture is written."""
        remove_folder(self.folder)

    def _place(self, number: int) -> int:
        return number if self._names.inputs is None else self._places[number]

    def _drop(self, unfinished: bool) -> None:
        """Forgets an earlier run. unfinished: the pictures here are its own, of other settings or another input."""
        (self.folder / _NOTED).unlink(missing_ok=True)
        if unfinished:
            for name in list(self._names.existing(self.target)):
                (self.target / name).unlink()

    def _read(self) -> None:
        try:
            noted = json.loads((self.folder / _NOTED).read_bytes())
            frames, counts = int(noted["frames"]), {str(k): int(n) for k, n in noted["counts"].items()}
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return
        # A picture that was removed since is made again, and with it those that depend on it.
        if all(self._names.is_there(self.target, self._place(number)) for number in range(frames)):
            self.frames, self.counts = frames, Counter(counts)
