"""Memory that is freed is kept for the next network's maps."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

# How many blocks came straight from the system, and will go back there.
PROGRAM = """
import ctypes, torch
from gpen_fast.heap import keep_freed
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks a b c d e f".split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
def mapped():
    before = libc.mallinfo2().hblks
    block = torch.empty(8 << 20, dtype=torch.uint8)
    return libc.mallinfo2().hblks - before
first = mapped()
keep_freed()
print(first, mapped())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's memory")
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc before 2.33 does not say")
def test_maps_are_not_taken_from_the_system_each_time() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "0"]
