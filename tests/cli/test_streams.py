"""Standard output that is full, closed or left by its reader."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = "error: standard output: no space left on device. What was printed there is incomplete.\n"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in which `gpen` is the command line."""
    command = f'gpen() {{ "{sys.executable}" -m gpen_fast "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=os.environ | environment
    )


@needs_full
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_line_and_status_1(unbuffered: str) -> None:
    ran = shell("gpen weights list > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (ran.returncode, ran.stderr) == (1, FULL)


def test_a_reader_that_leaves_changes_nothing() -> None:
    # The reader has left before the first byte is written.
    ran = shell("{ sleep 2; gpen weights list; echo status $? >&2; } | true")
    assert ran.stderr == "status 0\n"


def test_a_closed_stream_is_nobodys_next_file(tmp_path: Path) -> None:
    """A file that is opened gets the lowest free number; what is printed must not land in it."""
    code = f"""
import os, sys
from gpen_fast.cli.streams import tolerant_streams
with tolerant_streams():
    opened = os.open({str(tmp_path / "picture")!r}, os.O_WRONLY | os.O_CREAT)
    print("a table")
    os.write(1, b"a library's message")
assert opened > 2, opened
"""
    ran = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "$0" >&- 2>&-', code], capture_output=True, check=False
    )
    assert ran.returncode == 0
    assert (tmp_path / "picture").read_bytes() == b""


@needs_full
def test_a_lost_table_does_not_hide_a_failure(tmp_path: Path) -> None:
    ran = shell(f"gpen enhance {tmp_path}/none.jpg {tmp_path}/out > /dev/full")
    assert ran.returncode == 2
    assert ran.stderr == f"error: {tmp_path}/none.jpg: no such file or folder.\n"
