"""What became of the pictures of a run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gpen_fast.errors import reason
from gpen_fast.run.job import Failed, Finished


class Tally:
    """Counts what became of the pictures."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.failed: list[tuple[Path, str]] = []
        self.unwritten: list[tuple[Path, str]] = []
        self.notes: list[tuple[Path, str]] = []
        self.no_face: list[Path] = []
        self.left_out: list[Path] = []
        self.faces = 0
        self.halted = False
        self.faces_left_out = 0
        self.faces_kept = 0
        self.images_kept = 0
        # Each note once, since many pictures have the same one.
        self._texts: dict[str, str] = {}

    @property
    def images(self) -> int:
        """Pictures that came to an end, restored or not."""
        return self.outcomes.total()

    def add(self, path: Path, done: Finished | Failed) -> None:
        """Counts one picture."""
        if isinstance(done, Failed):
            self.outcomes["failed"] += 1
            self.failed.append((path, reason(done.error, path)))
            return
        self.outcomes[done.outcome] += 1
        self.faces += done.faces
        self.faces_left_out += done.faces_left_out
        self.faces_kept += done.kept
        self.images_kept += bool(done.kept) and done.kept == done.faces
        if done.outcome == "no_face":
            self.no_face.append(path)
            if done.faces_left_out:
                self.left_out.append(path)
        if done.note:
            self.notes.append((path, self._texts.setdefault(done.note, done.note)))
