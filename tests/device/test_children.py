"""Forked children: what they compute with, how they end, and that they do not outlive their parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch

from gpen_fast.device import children
from gpen_fast.device.children import Child, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="needs Linux")


def test_a_child_computes_on_one_core_and_leaves_signals_to_its_parent() -> None:
    def work(pipe: Connection) -> None:
        ignored = [signal.getsignal(each) is signal.SIG_IGN for each in (signal.SIGINT, signal.SIGTERM)]
        x = torch.ones(64, 64)
        pipe.send((torch.get_num_threads(), ignored, float((x @ x).sum())))

    before = torch.get_num_threads()
    child = Child(work, "test")
    assert child.pipe.recv() == (1, [True, True], 64.0**3)
    child.end()
    assert torch.get_num_threads() == before


def test_how_a_child_ended() -> None:
    def killed(pipe: Connection) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    child = Child(killed, "test")
    with pytest.raises(EOFError):
        child.pipe.recv()
    assert child.ended_by() == "signal 9 (SIGKILL)"
    child = Child(lambda pipe: os._exit(3), "test")
    assert child.ended_by() == "status 3"
    child.interrupt()


def test_a_child_that_is_interrupted_ends_what_it_must() -> None:
    def work(pipe: Connection) -> None:
        try:
            pipe.send("ready")
            time.sleep(600)
        finally:
            pipe.send("cleaned up")

    child = Child(work, "test")
    assert child.pipe.recv() == "ready"
    os.kill(child.number, signal.SIGUSR1)
    assert child.pipe.recv() == "cleaned up"
    child.interrupt()
    assert child.ended_by() == "status 1"


def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(pipe: Connection) -> None:
        with contextlib.suppress(SystemExit):
            pipe.send("ready")
            time.sleep(600)
        time.sleep(600)

    monkeypatch.setattr(children, "_GRACE_S", 0.2)
    child = Child(work, "test")
    assert child.pipe.recv() == "ready"
    child.interrupt()
    assert child.ended_by() == "signal 9 (SIGKILL)"


_PARENT = """
import time
from gpen_fast.device.children import Child
def work(pipe):
    pipe.send(__import__("os").getpid())
    time.sleep(600)
print(Child(work, "test").pipe.recv(), flush=True)
time.sleep(600)
"""


def test_children_do_not_outlive_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(200):
        try:
            state = Path(f"/proc/{child}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0]
            if state == "Z":
                return  # it has ended, and its status is not collected yet
        except FileNotFoundError:
            return
        time.sleep(0.05)
    pytest.fail("the child is still there")
