"""Who restores the pictures of a run of `enhance`: threads on devices, or processes on a CPU's cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from gpen_fast.run.crew import Member
from gpen_fast.run.engine import Engine
from gpen_fast.run.job import Failed, Finished, Pasted, PictureSource


class Team(Protocol):
    """Several workers, and what they did."""

    @property
    def members(self) -> Sequence[Member]:
        """One a device or process."""

    @property
    def processes(self) -> int:
        """Processes beside the program's own."""

    @property
    def readers(self) -> int:
        """How many pictures are read at the same time."""

    @property
    def writers(self) -> int:
        """How many results are written at the same time."""

    @property
    def depths(self) -> dict[str, dict[str, float]]:
        """How much is under way and waiting at the moment, by what it is and its unit."""

    def run(self, sources: Iterable[PictureSource]) -> Iterator[Finished | Failed]:
        """Restores every source, and yields what became of it, in input order."""


class Threads:
    """A thread on each device, with readers and writers: see `Engine`.

    Args:
        engine: Runs the pictures.
        write: Takes each restored picture.
        settle: Takes each picture that failed.
    """

    def __init__(
        self, engine: Engine, write: Callable[[Pasted], Finished], settle: Callable[[Failed], None]
    ) -> None:
        self.members = engine.members
        self.processes = 0
        self.readers = engine.readers
        self.writers = engine.writers
        self._engine = engine
        self._write = write
        self._settle = settle

    @property
    def depths(self) -> dict[str, dict[str, float]]:
        """See `Team`."""
        return self._engine.depths

    def run(self, sources: Iterable[PictureSource]) -> Iterator[Finished | Failed]:
        """See `Team`."""
        for done in self._engine.run(sources, self._write):
            if isinstance(done, Failed):
                self._settle(done)
            yield done
