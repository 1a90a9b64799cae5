"""What measurements in steps tell is what the terminal shows."""

from __future__ import annotations

from gpen_fast.cli.step_progress import StepLines
from gpen_fast.run.steps import RunsDone, StepProgress


def test_the_terminals_progress_is_one() -> None:
    told: list[str] = []
    progress: StepProgress = StepLines("row", told.append)
    progress.began(1, 2, "baseline")
    progress.ran(RunsDone(1, 1))
    assert told == ["row 1 of 2: baseline"]
