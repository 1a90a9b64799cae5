"""Memory of the process."""

from __future__ import annotations

import mmap
import subprocess
import sys
from pathlib import Path

import pytest

from gpen_fast.measure.memory import host_peak_bytes, resident_bytes


def test_peak_is_in_bytes() -> None:
    assert 50 * 2**20 < host_peak_bytes() < 2**40  # Python with torch is neither smaller nor larger


def test_a_peak_never_falls() -> None:
    before = host_peak_bytes()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert host_peak_bytes(children=2) > before + 2 * 2**20, "Python alone takes more"
    held = bytearray(64 * 2**20)
    assert host_peak_bytes() >= before
    del held
    assert host_peak_bytes() >= before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's own peak")
def test_what_the_parent_held_does_not_count() -> None:
    held = bytearray(b"1") * (200 * 2**20)
    code = "from gpen_fast.measure.memory import host_peak_bytes; print(host_peak_bytes())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < len(held) / 2


def test_a_system_that_does_not_report_it_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert host_peak_bytes() is None


def test_resident_memory_follows_what_is_held() -> None:
    before = resident_bytes()
    assert before is not None
    # Pages of their own: memory that the process has freed before may be resident already.
    with mmap.mmap(-1, 200 * 2**20) as held:
        held.write(b"x" * (200 * 2**20 - 1))
        grown = resident_bytes()
    assert grown is not None
    assert 150 * 2**20 < grown - before < 400 * 2**20


def test_resident_memory_of_a_process_that_has_ended_is_unknown() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    size = resident_bytes(process.pid)
    process.communicate()
    assert size is not None
    assert resident_bytes(process.pid) is None
