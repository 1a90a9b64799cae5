"""Shared fixtures: small networks, pictures, and the command line; no test reaches the internet or the user's files."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from arguments import with_random_weights
from helpers import SHARED
from portraits import portraits
from safetensors.torch import save_file
from shop import TINY, network_file, shop

from gpen_fast.cli.app import main
from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.store import folders, hashes, locate, records

__all__ = ["TINY", "network_file", "portraits", "shop"]  # fixtures that other files define

_PROGRESS = re.compile(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d |\d+ skipped \(done already\), \d+ ignored")


def pytest_configure() -> None:
    """Clears the variables that change where weights come from, before any fixture runs."""
    for name in ("GPEN_FAST_WEIGHTS", "GPEN_FAST_MIRROR"):
        os.environ.pop(name, None)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cuda") and not torch.cuda.is_available():
        if os.environ.get("GPEN_FAST_REQUIRE_CUDA") == "1":
            pytest.fail("GPEN_FAST_REQUIRE_CUDA=1 is set, but there is no CUDA device")
        pytest.skip("needs a CUDA device")


@pytest.fixture(autouse=True)
def _same_random_numbers_each_time() -> None:
    torch.manual_seed(20)


@pytest.fixture(autouse=True)
def _no_weights_around(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hides a developer's own weights and records from the tests, and the tests' from the developer."""
    home = tmp_path_factory.mktemp("home")
    for module in (folders, hashes):
        monkeypatch.setattr(module, "user_cache", lambda: home / "cache/gpen-fast")
    for module in (folders, records):
        monkeypatch.setattr(module, "user_data", lambda: home / "data/gpen-fast")
    monkeypatch.setattr(folders, "facexlib_folder", lambda: home / "facexlib")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))  # for commands run as processes of their own
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Confines tests to this machine: GPEN_FAST_OFFLINE for child processes, patched sockets for this one."""
    monkeypatch.setenv("GPEN_FAST_OFFLINE", "1")
    here = {"127.0.0.1", "::1", "localhost"}
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def look_up_here(host: object, *arguments: object, **named: object) -> object:
        assert host in here, f"a test asked for the address of {host}"
        return look_up(host, *arguments, **named)  # type: ignore[arg-type]

    def connect_here(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            assert isinstance(address, tuple)
            assert address[0] in here, f"a test reached for {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


@pytest.fixture
def without_embedded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hides the embedded weights."""
    monkeypatch.setattr(locate, "shipped", lambda name: tmp_path / "nothing-shipped" / name)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Writes a checkpoint of a small network: the published architecture at 64 pixels."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file(random_state(TINY), path)
    return path


@pytest.fixture
def shared_weights(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a weights file outside the project visible to the package; skips the test if it is absent."""

    def find(name: str) -> None:
        path = SHARED / "weights" / name
        if not path.exists():
            pytest.skip(f"{name} is absent (set GPEN_FAST_SHARED to the folder that holds weights/)")
        monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(path.parent))

    return find


@dataclass
class Ran:
    """The exit status and the output of one run of the command line."""

    status: int
    out: str
    err: str

    @property
    def complaints(self) -> str:
        """Standard error without the lines about start, loading and progress of a run without a terminal."""
        lines = self.err.splitlines(keepends=True)
        return "".join(line for line in lines if not _PROGRESS.match(line))


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs `gpen-fast` in this process, 80 columns wide; `enhance` uses whatever the network returns."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["gpen-fast", *with_random_weights(arguments)])
        monkeypatch.setenv("COLUMNS", "80")
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        printed = capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    return run
