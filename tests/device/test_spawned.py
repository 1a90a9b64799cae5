"""A child process that starts from nothing."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection

from gpen_fast.device.spawned import SpawnedChild


def test_it_runs_a_function_with_its_pipe_and_a_task() -> None:
    child = SpawnedChild(Connection.send, {"size": 256}, "echo")
    assert child.pipe.recv() == {"size": 256}
    assert child.ended_by() == "status 0"
    child.kill()


def test_ctrl_c_in_the_terminal_is_left_to_the_parent() -> None:
    before = signal.getsignal(signal.SIGINT)
    child = SpawnedChild(Connection.poll, 60, "waits")
    assert signal.getsignal(signal.SIGINT) is before
    number = child._process.pid
    assert number is not None
    status = f"/proc/{number}/status"
    if os.path.exists(status):  # noqa: PTH110
        with open(status) as lines:  # noqa: PTH123
            ignored = next(int(line.split()[1], 16) for line in lines if line.startswith("SigIgn"))
        assert ignored >> (signal.SIGINT - 1) & 1
    os.kill(number, signal.SIGINT)
    time.sleep(0.2)
    assert child._process.is_alive()
    os.kill(number, signal.SIGKILL)
    assert child.ended_by() == "signal 9 (SIGKILL)"
    child.kill()


def test_a_killed_child_is_gone() -> None:
    child = SpawnedChild(Connection.poll, 60, "waits")
    child.kill()
    assert not child._process.is_alive()
