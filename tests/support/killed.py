"""Runs that are killed at some moment, and the scripts that try many of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def forked(run: Callable[[], None], seconds: float | None) -> tuple[float, bool]:
    """A run in a child, killed after some seconds; returns how long it lived, and whether it was killed."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        run()
        os._exit(0)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if seconds is not None and time.monotonic() - start >= seconds:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return time.monotonic() - start, True
        time.sleep(0.005)
    return time.monotonic() - start, False


def found_by_script(name: str, folder: Path, weights: Path, kills: int) -> dict[str, object]:
    """What a script of this folder prints of so many kills. A process of its own: it forks before any thread starts."""
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(ROOT / "tests/support" / name), str(folder), str(weights), str(kills)]
    environment = {**os.environ, "PYTHONPATH": paths}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return found
