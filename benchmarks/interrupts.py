"""Interrupts `gpen-fast enhance` at random moments of its first seconds and counts how the process ends.

Method: each try starts a run over many pictures and sends it one signal at a random moment. It counts as good if the
exit status is 130 and standard error says once that the run was interrupted, without a traceback. A signal that comes
before the program's first line meets the starting Python interpreter, which this program cannot change: such a try
(SIGTERM is not yet caught, /proc/PID/status) is counted apart and made again. Needs Linux.

Usage: python benchmarks/interrupts.py [--tries 200] [--seconds 5] [--signal INT|TERM] [--seed 0]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "examples" / "grace_hopper-degraded.jpg"
# More than any machine restores in the seconds of a try.
PICTURES = 2000
# Longest time from the signal to the end, seconds.
LONGEST_END = 60.0


def main() -> int:
    """Runs the tries and prints the counts. Exit status 1 if a try was not good."""
    options = _options()
    moments, endings, lasted = random.Random(options.seed), Counter[str](), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for number in range(PICTURES):
            shutil.copy(EXAMPLE, folder / f"in/{number:04d}.jpg")
        while sum(endings.values()) - endings[BEFORE] < options.tries:
            ending, seconds = interrupted(folder, moments.uniform(0, options.seconds), options.signal)
            endings[ending] += 1
            lasted.append(seconds)
            if ending not in (GOOD, BEFORE):
                print(ending, flush=True)
    print(f"SIG{options.signal}: {endings[GOOD]} of {options.tries} tries ended with 130 and one sentence")
    print(f"before the program's first line, made again: {endings[BEFORE]}")
    print(
        f"from the signal to the end: median {sorted(lasted)[len(lasted) // 2]:.2f} s, most {max(lasted):.2f} s"
    )
    return int(endings[GOOD] < options.tries)


GOOD, BEFORE = "good", "before the first line"


def interrupted(folder: Path, moment: float, name: str) -> tuple[str, float]:
    """Starts a run, interrupts it, and says how it ended and how long that took.

    Args:
        folder: Holds the folder `in` with pictures.
        moment: Seconds after the start of the process.
        name: INT or TERM.
    """
    command = [sys.executable, "-m", "gpen_fast", "enhance", "in", "out", "--offline"]
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(moment)
        ready = _answers_signals(run.pid)
        run.send_signal(signal.Signals[f"SIG{name}"])
        sent = time.monotonic()
        said = run.communicate(timeout=LONGEST_END)[1]
    except subprocess.TimeoutExpired:
        return f"after {moment:.3f} s: went on", LONGEST_END
    finally:
        run.kill()
        run.wait()
        shutil.rmtree(folder / "out", ignore_errors=True)
    good = (
        run.returncode == 130
        and "Traceback" not in said
        and len(re.findall("^interrupted: ", said, re.M)) == 1
    )
    if good or not ready:
        return GOOD if good else BEFORE, time.monotonic() - sent
    return f"after {moment:.3f} s: status {run.returncode}, {said!r}", time.monotonic() - sent


def _answers_signals(pid: int) -> bool:
    """Whether the process catches SIGTERM, which the program does from its first line on and Python never does."""
    caught = re.search(r"SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    return bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--signal", choices=("INT", "TERM"), default="INT")
    parser.add_argument("--seed", type=int, default=os.getpid())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
