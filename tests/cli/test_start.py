"""An interrupt in the first seconds ends the process with exit status 130 and one sentence, whatever runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import write_photo

SENTENCE = "interrupted: what was finished is kept\n"
SIGNALS = [signal.SIGINT, signal.SIGTERM]


def started(code: str) -> subprocess.CompletedProcess[str]:
    """Runs `start.run_program` in a process of its own, with `code` in the place of the command line."""
    program = f"""
import os, signal, sys
from gpen_fast.cli import app, start
def run():
{code}
app.main = run
start.run_program()
"""
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.parametrize("number", SIGNALS)
def test_code_that_catches_every_exception_does_not_swallow_it(number: int) -> None:
    """As the imports of NumPy and torch do."""
    done = started(f"""
    print("buffered")
    try:
        os.kill(os.getpid(), {number:d})
        sum(range(1000))
    except BaseException:
        pass
    print("went on")
""")
    assert (done.returncode, done.stdout, done.stderr) == (130, "buffered\n", SENTENCE)


def test_closed_streams_do_not_change_the_end() -> None:
    done = started("""
    os.close(1), os.close(2)
    print("buffered")
    os.kill(os.getpid(), signal.SIGINT)
""")
    assert done.returncode == 130


def test_an_interrupt_after_the_work_leaves_the_exit_status() -> None:
    done = started("""
    class Late:
        def __del__(self): os.kill(os.getpid(), signal.SIGINT)
    sys.late = Late()
""")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("moment", [0.0, 0.4, 1.0])
def test_real_runs_at_several_moments(tmp_path: Path, tiny_weights: Path, moment: float, number: int) -> None:
    """A reduced form of benchmarks/interrupts.py."""
    for each in range(300):
        write_photo(tmp_path / f"in/{each:03d}.png", height=16, width=16)
    command = [sys.executable, "-m", "gpen_fast", "enhance", "in", "out", "--skip-detect"]
    run = subprocess.Popen(
        [*command, "--weights", str(tiny_weights)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for_first_line(run)
        time.sleep(moment)
        run.send_signal(number)
        said = run.communicate(timeout=60)[1]
    finally:
        run.kill()
    assert run.returncode == 130, said
    assert said.count("interrupted: ") == 1
    assert "Traceback" not in said


def _wait_for_first_line(run: subprocess.Popen[str]) -> None:
    """Waits until the process catches SIGTERM. Where the system does not say so, half a second."""
    status = Path(f"/proc/{run.pid}/status")
    if not status.exists():
        time.sleep(0.5)
        return
    while True:
        (caught,) = (line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        assert run.poll() is None, os.fspath(status)
        time.sleep(0.005)
