"""Every test and benchmark that needs a GPU, one after the other, in under ten minutes.

Each part is a process with its own time limit; one that fails or runs out of time does not stop the others. Tests come
first, because the speed of a wrong result means nothing. The run ends with a table of the parts' outcomes, written to
gpu.json in the results folder. Its exit status is 1 if a part failed or there is no GPU.

Usage: python benchmarks/gpu.py [--only tests tricks]
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from stages import HERE, add_commit, results_folder

from gpen_fast import __version__
from gpen_fast.device.select import pick_device
from gpen_fast.errors import DeviceError
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json


@dataclass(frozen=True)
class Part:
    """A command line without the interpreter. limit: seconds."""

    name: str
    command: tuple[str, ...]
    limit: int


@dataclass(frozen=True)
class Outcome:
    """The outcome of a part. status: its exit status; None if it ran out of time."""

    name: str
    status: int | None
    seconds: float


def script(name: str, *flags: str) -> tuple[str, ...]:
    """One of the benchmarks beside this file."""
    return (str(HERE / f"{name}.py"), *flags)


# Together a little over nine minutes if every part uses its whole limit.
PARTS = (
    Part("tests", ("-m", "pytest", "-q", "-m", "cuda", "-p", "no:cacheprovider"), 125),
    Part("tricks", script("tricks", "--device", "cuda", "--seconds", "0.5"), 75),
    Part("generator", script("generator", "--device", "cuda", "--seconds", "0.5", "--limit", "170"), 195),
    Part("stages", script("stages", "--runs", "10"), 65),
    Part("png", script("png", "--device", "cuda", "--seconds", "0.1"), 50),
    Part("detectors", script("detectors", "--device", "cuda", "--rounds", "3", "--longest", "2500"), 40),
)


def kept(part: Part) -> Part:
    """The part with --commit, if it is a benchmark."""
    return part if part.name == "tests" else replace(part, command=(*part.command, "--commit"))


def run(part: Part) -> Outcome:
    """Runs one part; its output is not captured."""
    print(f"\n## {part.name}: {' '.join(part.command)}", flush=True)
    start = time.perf_counter()
    environment = os.environ | {"GPEN_FAST_REQUIRE_CUDA": "1"}
    # A new session, so that killing the group also ends the processes it started.
    process = subprocess.Popen(
        [sys.executable, *part.command], cwd=HERE.parent, env=environment, start_new_session=True
    )
    status: int | None = None
    try:
        status = process.wait(part.limit)
    except subprocess.TimeoutExpired:
        print(f"out of time: {part.limit} s", flush=True)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return Outcome(part.name, status, round(time.perf_counter() - start, 1))


def show(outcomes: Sequence[Outcome]) -> None:
    """Prints the table of outcomes."""
    table = Table(box=None, pad_edge=False)
    for column in ("part", "outcome", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for outcome in outcomes:
        table.add_row(outcome.name, in_words(outcome), str(outcome.seconds))
    print()
    Console(highlight=False).print(table)


def in_words(outcome: Outcome) -> str:
    """The outcome in words."""
    if outcome.status is None:
        return "out of time"
    return f"failed with status {outcome.status}" if outcome.status else "done"


def main() -> int:
    """Runs the parts. Returns 1 if one of them failed or there is no GPU."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [part.name for part in PARTS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="run only these parts")
    parser.add_argument("--results", type=Path, help="folder of gpu.json; default the results folder")
    add_commit(parser)
    arguments = parser.parse_args()
    try:
        device = pick_device("cuda")
    except DeviceError as error:
        sys.exit(f"these tests and benchmarks are for a GPU: {error}")
    folder = arguments.results or results_folder(arguments.commit)
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"schema": 1, "suite": "gpu", "version": __version__, "commit": commit()}
    facts["device"] = asdict(device_facts(device))
    outcomes: list[Outcome] = []
    for part in PARTS:
        if part.name in arguments.only:
            outcomes.append(run(kept(part) if arguments.commit else part))
            write_json({**facts, "parts": [asdict(each) for each in outcomes]}, folder / "gpu.json")
    show(outcomes)
    return int(any(outcome.status != 0 for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
