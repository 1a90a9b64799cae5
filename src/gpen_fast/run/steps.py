"""What a measurement in several steps tells of its progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class RunsDone:
    """How far a step is."""

    done: int
    """Runs or passes that have ended."""

    of: int
    """All of the step."""


class StepProgress(Protocol):
    """Is told what a measurement does."""

    def began(self, number: int, of: int, name: str) -> None:
        """The step of that number, from 1, begins."""

    def ran(self, runs: RunsDone) -> None:
        """A run of the present step has ended; it is told outside the run's time."""
