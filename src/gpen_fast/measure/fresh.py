"""`profile` in processes of their own: what differs from start to start is only seen across several starts."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gpen_fast.errors import ProfileError
from gpen_fast.measure.report import Report


def fresh_profile(
    arguments: Sequence[str],
    *,
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Report:
    """Runs `gpen-fast profile` once in a new Python.

    Args:
        arguments: What follows `profile` on the command line, without --json.
        python: The interpreter; its gpen-fast is measured.
        environment: Variables of the process; None for those of this one. PYTHONPATH names another checkout.
        folder: Where the process starts; None for where this one is.

    Returns:
        The report of the process.

    Raises:
        ProfileError: The process failed; the message holds what it printed last on standard error.
        ReportError: The process wrote no report that this version reads.
    """
    with tempfile.TemporaryDirectory(prefix="gpen-fast-") as temporary:
        file = Path(temporary) / "report.json"
        command = [python, "-m", "gpen_fast", "profile", *arguments, "--json", str(file)]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL,
            env=dict(environment) if environment is not None else None, cwd=folder,
        )  # fmt: skip
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it printed nothing"]
            why = lines[-1].strip().removeprefix("error: ")
            raise ProfileError(f"profile ended with exit status {done.returncode}: {why}")
        return Report.from_json(file)


def measured_in_turns(sides: Sequence[Callable[[], Report]], repeat: int) -> list[list[Report]]:
    """Measures several sides again and again: in each round each side once, every second round in reverse order.

    A machine whose speed drifts then slows all sides alike: A B B A A B B A.

    Args:
        sides: Each makes one report, as `fresh_profile` does.
        repeat: Rounds.

    Returns:
        The reports of each side, in the order of the rounds.
    """
    made: list[list[Report]] = [[] for _ in sides]
    for number in range(repeat):
        order = range(len(sides)) if number % 2 == 0 else reversed(range(len(sides)))
        for side in order:
            made[side].append(sides[side]())
    return made
