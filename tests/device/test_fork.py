"""In a forked child the Python interface works, or says at once why it cannot. It never waits for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import EXAMPLES

from gpen_fast.device import fork
from gpen_fast.device.fork import ForkGuard, ready_after_fork
from gpen_fast.errors import DeviceError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, tiny_weights: Path) -> dict[str, str]:
    weights = tmp_path_factory.mktemp("forked") / "tiny.safetensors"
    weights.write_bytes(tiny_weights.read_bytes())
    program = Path(__file__).parents[1] / "support/forking.py"
    done = subprocess.run(
        [sys.executable, program, weights, EXAMPLES / "grace_hopper.jpg"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        ("never used", "1"),
        ("used", "(1, [1, 1, 1])"),
        ("new one", "1"),
        ("pictures", "(3, 600, 512)"),
        ("network", "(2, 3, 64, 64)"),
        ("threads", "1"),
        ("its child", "1"),
        ("pool", "[1, 1]"),
        ("loader", "[1, 1, 1, 1]"),
        ("after the run", "1"),
        ("parent", "(1, 2)"),
        ("pickled", "1"),
    ],
)
def test_child_restores(told: dict[str, str], way: str, wanted: str) -> None:
    assert told[way] == wanted


@pytest.mark.parametrize("way", ["goes on", "during a run"])
def test_fork_within_a_run_is_refused_at_once(told: dict[str, str], way: str) -> None:
    assert told[way].startswith("DeviceError this process was forked while gpen-fast was restoring")
    assert 'multiprocessing.get_context("spawn")' in told[way]


def test_cuda_does_not_survive_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = ForkGuard(torch.device("cuda:1"))
    guard.check()
    monkeypatch.setattr(fork.os, "getpid", lambda: -1)
    with (
        pytest.raises(DeviceError, match=r"forked from one that works on cuda:1, .* Start child .*\"spawn\""),
        guard.at_work(),
    ):
        pass
    ForkGuard(torch.device("cuda:1")).check()  # one that the child made


def test_nothing_changes_where_nothing_was_forked() -> None:
    before = torch.get_num_threads()
    ready_after_fork()
    assert torch.get_num_threads() == before
