"""Runs `gpen-fast enhance` into one fault after another, and counts how often nothing was lost.

Method: each try is a run of its own, over small pictures with a small network of random weights, in a fork of this
process. A try is good if the run ended as the table says, no temporary file is left, every file under a result's name
is whole, and a second, undisturbed run completes the set. Faults marked `stand-in` replace one function in the child,
because this machine cannot be made to fail so; the others are real. A full disk needs the right to mount.

Usage: python benchmarks/faults.py [--tries 5] [--seed 0] [--json FILE]
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from kills import NETWORK, SIDE, WEIGHTS, started
from PIL import Image
from safetensors.torch import save_file

from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.measure.environment import commit
from gpen_fast.run import sink
from gpen_fast.stages.generate.folded import Folded
from gpen_fast.stages.generate.runner import Generator

PICTURES = 60
JOURNAL = Path("out/.gpen-fast/journal.jsonl")
# Seconds. No try takes longer, on however busy a machine.
LONGEST = 180.0


class Ended(NamedTuple):
    """How a run ended."""

    status: int
    """Its exit status; the negative number of the signal that killed it."""

    said: str
    """What it wrote to standard error."""


class Fault(NamedTuple):
    """One fault: how it is made, and how the run has to end."""

    name: str
    real: bool
    outcome: str
    try_it: Callable[[random.Random], bool]


def main() -> int:
    """Tries every fault and prints the table. Exit status 1 if a try was not good."""
    options = _options()
    moments, rows = random.Random(options.seed), []
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        save_file(random_state(NETWORK), WEIGHTS)
        for fault in FAULTS:
            good = 0
            for _ in range(options.tries):
                _afresh()
                good += fault.try_it(moments) and _completed()
            rows.append(
                {
                    "fault": fault.name,
                    "by": "the fault itself" if fault.real else "stand-in",
                    "tries": options.tries,
                    "good": good,
                    "outcome": fault.outcome,
                }
            )
            print(f"{fault.name}: {good} of {options.tries}: {fault.outcome}", flush=True)
    figures = {"schema": 1, "suite": "faults", "commit": commit(), "pictures": PICTURES, "rows": rows}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return int(any(row["good"] < row["tries"] for row in rows))


def run(*more: str, prepare: Callable[[], None] = lambda: None) -> int:
    """Starts a run. Returns its process. prepare: is called in the child first."""
    arguments = ["enhance", "in", "out", "--skip-detect", "--weights", WEIGHTS, "--keep-detail", "0", *more]
    return started(arguments, prepare=prepare, errors="errors.txt")


def ended(child: int) -> Ended:
    """Waits for a run."""
    limit = time.monotonic() + LONGEST
    while not (found := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > limit:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    return Ended(os.waitstatus_to_exitcode(found[1]), Path("errors.txt").read_text(errors="replace"))


def writing(child: int) -> bool:
    """Waits until a run has recorded its first results; False if it has ended before."""
    while not (JOURNAL.exists() and JOURNAL.stat().st_size):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return False
        time.sleep(0.001)
    return True


def signalled(number: signal.Signals, status: int, moments: random.Random) -> bool:
    """A signal while results are written; what is finished is kept."""
    child = run()
    writing(child)
    time.sleep(moments.uniform(0, 0.1))
    os.kill(child, number)
    done = ended(child)
    return done.status == status and "Traceback" not in done.said


def disk_full(moments: random.Random) -> bool:
    """A file system that holds some of the results."""
    Path("out").mkdir()
    size = f"size={moments.randrange(100, 200)}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", "out"], check=True)
    try:
        done = ended(run())
        good = done.status == 1 and done.said.count("the disk is full") == 1
        kept = len(results())
        # The rest needs room: the second run writes into a folder with the same files.
        shutil.copytree("out", "kept", copy_function=shutil.copy2)
    finally:
        subprocess.run(["umount", "out"], check=True)
    shutil.rmtree("out")
    Path("kept").rename("out")
    return good and 0 < kept < PICTURES


def folder_removed(moments: random.Random) -> bool:
    """The output folder goes while results are written: the run says so and does not make it again."""
    child = run()
    writing(child)
    while Path("out").exists():  # a result may be written between two steps of the removal
        shutil.rmtree("out", ignore_errors=True)
    done = ended(child)
    gone = not results()
    shutil.rmtree("out", ignore_errors=True)
    return done.status == 1 and "was removed during the run" in done.said and gone


def fifo(moments: random.Random) -> bool:
    """A pipe without a writer among the inputs."""
    os.mkfifo("in/pipe.png")
    done = ended(run())
    Path("in/pipe.png").unlink()
    return done.status == 1 and "not a regular file" in done.said and len(results()) == PICTURES


def changes_while_read(moments: random.Random) -> bool:
    """A picture is replaced again and again while the run reads: its result is that of a whole picture, or it fails."""
    stop, path = threading.Event(), Path(f"in/{PICTURES - 1:03d}.png")
    good = path.read_bytes()

    def change() -> None:
        while not stop.is_set():
            path.write_bytes(good[: moments.randrange(len(good))])
            path.write_bytes(good)

    thread = threading.Thread(target=change)
    child = run()
    thread.start()
    done = ended(child)
    stop.set()
    thread.join()
    return done.status in (0, 1) and len(results()) >= PICTURES - 1


def slow_writer(moments: random.Random) -> bool:
    """Each write takes long: the queue of results stays bounded, and all are written."""

    def slow() -> None:
        _before_each_write(lambda number: time.sleep(0.02))

    return ended(run(prepare=slow)).status == 0 and len(results()) == PICTURES


def two_runs(moments: random.Random) -> bool:
    """A second run into the folder of one that works."""
    child = run()
    writing(child)
    # The first one is stopped so that it cannot end before the second has begun.
    os.kill(child, signal.SIGSTOP)
    second = subprocess.run(
        [sys.executable, "-m", "gpen_fast", "enhance", "in", "out", "--skip-detect", "--weights", WEIGHTS],
        capture_output=True,
        text=True,
    )
    os.kill(child, signal.SIGCONT)
    refused = second.returncode == 2 and "another run of gpen-fast writes into this folder" in second.stderr
    return refused and ended(child).status == 0


def out_of_memory(moments: random.Random) -> bool:
    """The device has room for one face at a time: batches are halved until they fit."""
    done = ended(run("--batch-size", "4", prepare=functools.partial(_patched_backend, room=1)))
    return done.status == 0 and len(results()) == PICTURES


def never_enough_memory(moments: random.Random) -> bool:
    """The device has no room for a face: every picture is reported, and the run goes on to its end."""
    done = ended(run(prepare=functools.partial(_patched_backend, room=0)))
    return done.status == 1 and done.said.count("not enough device memory") >= PICTURES and not results()


def poisoned(moments: random.Random) -> bool:
    """A CUDA error after some faces: the process starts itself once more after the finished pictures, then goes on."""
    after = moments.randrange(4, 30)

    def poison() -> None:
        launch, calls = Generator.launch_no_sync, []

        def failing(self: Generator, crops: object) -> object:
            calls.append(crops)
            if len(calls) > after:
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            return launch(self, crops)  # type: ignore[arg-type]

        Generator.launch_no_sync = failing  # type: ignore[assignment, method-assign]
        sys.orig_argv[1:] = ["-m", "gpen_fast", *sys.argv[1:]]

    done = ended(run("--batch-size", "1", "--devices", "cpu:1", prepare=poison))
    return done.status == 0 and "Starting once more" in done.said and len(results()) == PICTURES


def hung(moments: random.Random) -> bool:
    """A write that never ends: the watchdog names it, and the run ends."""

    def hang() -> None:
        _before_each_write(lambda number: time.sleep(LONGEST if number == PICTURES // 2 else 0))

    done = ended(run("--stall-timeout", "5", "--devices", "cpu:1", prepare=hang))
    return done.status == 1 and "(--stall-timeout): stopped. What is finished is kept" in done.said


def hung_process(moments: random.Random) -> bool:
    """The same in one of two processes: it is replaced, and its pictures are restored by the new one."""

    def hang() -> None:
        _before_each_write(lambda number: time.sleep(LONGEST if number == PICTURES // 4 else 0))

    done = ended(run("--stall-timeout", "3", "--devices", "cpu:2", prepare=hang))
    return done.status == 0 and len(results()) == PICTURES


def killed_process(moments: random.Random) -> bool:
    """One of two processes is killed, as the system does where memory is short."""

    def kill() -> None:
        at, first = moments.randrange(2, PICTURES // 4), Path("killed")

        def die(number: int) -> None:
            if number == at and not first.exists():
                first.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        _before_each_write(die)

    Path("killed").unlink(missing_ok=True)
    done = ended(run("--devices", "cpu:2", prepare=kill))
    return done.status == 0 and len(results()) == PICTURES and Path("killed").exists()


def _before_each_write(call: Callable[[int], object]) -> None:
    """Calls something before each write of a result, with its number from 1."""
    write, numbers = vars(sink)["write_file"], itertools.count(1)

    def written(*arguments: object, **options: object) -> None:
        call(next(numbers))
        write(*arguments, **options)

    vars(sink)["write_file"] = written


def _patched_backend(room: int) -> None:
    """Lets the network take so many faces a call."""
    call = Folded.__call__

    def little(self: Folded, faces: torch.Tensor) -> torch.Tensor:
        if len(faces) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return call(self, faces)

    Folded.__call__ = little  # type: ignore[method-assign]


FAULTS = (
    Fault(
        "SIGKILL while results are written",
        True,
        "killed; no half file; the next run completes the set",
        functools.partial(signalled, signal.SIGKILL, -9),
    ),
    Fault(
        "Ctrl-C",
        True,
        "what is in flight is finished, exit 130; the next run continues",
        functools.partial(signalled, signal.SIGINT, 130),
    ),
    Fault(
        "SIGTERM",
        True,
        "what is in flight is finished, exit 130; the next run continues",
        functools.partial(signalled, signal.SIGTERM, 130),
    ),
    Fault("disk full", True, "said once, exit 1, finished results kept", disk_full),
    Fault("output folder removed", True, "said once, exit 1, the folder is not made again", folder_removed),
    Fault("FIFO among the inputs", True, "that input fails by name, the others are restored", fifo),
    Fault(
        "picture that changes while it is read",
        True,
        "a whole result or an error of that picture; the others are restored",
        changes_while_read,
    ),
    Fault("slow writer", False, "all results written", slow_writer),
    Fault("two runs into one folder", True, "the second is refused, exit 2; the first ends well", two_runs),
    Fault("device out of memory at batch 4", False, "batches are halved, all restored", out_of_memory),
    Fault("device out of memory at batch 1", False, "each picture is reported, exit 1", never_enough_memory),
    Fault("poisoned CUDA context", False, "the process starts once more and completes the set", poisoned),
    Fault("hung writer", False, "named by --stall-timeout, exit 1, finished results kept", hung),
    Fault("hung writer in one of two processes", False, "it is replaced, all results written", hung_process),
    Fault("one of two processes is killed", True, "it is replaced, all results written", killed_process),
)


def results() -> list[Path]:
    """The results; fails where a file under a result's name is not whole."""
    found = sorted(Path("out").glob("*.png"))
    for path in found:
        with Image.open(path) as image:
            image.load()
    return found


def _afresh() -> None:
    for folder in ("in", "out", "kept"):
        shutil.rmtree(folder, ignore_errors=True)
    Path("in").mkdir()
    for number in range(PICTURES):
        Image.effect_noise((SIDE, SIDE), 20 + number).save(f"in/{number:03d}.png")


def _completed() -> bool:
    """Whether an undisturbed run completes the set and leaves no temporary file."""
    results()
    time.sleep(1.1)  # a temporary file of a second ago is left alone
    done = ended(run())
    left = [path for path in Path("out").iterdir() if path.name.endswith(".part")]
    # A set that is complete needs no run: what a killed run left is then removed by the next one that writes.
    return done.status == 0 and len(results()) == PICTURES and (not left or "nothing to do" in done.said)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--seed", type=int, default=os.getpid())
    parser.add_argument("--json", type=lambda text: Path(text).absolute())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
