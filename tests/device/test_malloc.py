"""What is set in glibc, and what is left alone."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest

from gpen_fast.device import malloc


def unset() -> dict[str, str]:
    """The environment without what sets malloc's ways."""
    set_by_user = {*malloc._MALLOC_VARIABLES, malloc._ARENAS}
    return {name: value for name, value in os.environ.items() if name not in set_by_user}


def kept_memory(**environment: str) -> str:
    """What `keep_freed_memory` says in a process of its own: malloc's ways are the whole process's."""
    code = "from gpen_fast.device.malloc import keep_freed_memory as keep; print(keep(), keep())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=unset() | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc only")
def test_freed_memory_is_kept_unless_the_user_said_otherwise() -> None:
    assert kept_memory() == "True True"
    assert kept_memory(MALLOC_TRIM_THRESHOLD_="131072") == "False False"
    assert kept_memory(MALLOC_ARENA_MAX="2") == "True True", "it says nothing about what is freed"


# How many blocks came straight from the system, and will go back there.
MAPPED = """
import ctypes, torch
from gpen_fast.device.malloc import keep_freed_memory
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks a b c d e f".split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
def mapped():
    before = libc.mallinfo2().hblks
    block = torch.empty(80 << 20, dtype=torch.uint8)
    return libc.mallinfo2().hblks - before
first = mapped()
keep_freed_memory()
print(first, mapped())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc only")
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc before 2.33 does not say")
def test_maps_are_not_taken_from_the_system_each_time() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", MAPPED], env=unset(), capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["1", "0"]


# Page faults of a thread that makes and frees the same blocks, once it has done so before.
FAULTS = """
import resource, threading
from gpen_fast.device.malloc import keep_freed_memory
keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
def work():
    for _ in range(4):
        before = faults()
        blocks = [bytearray(20 << 20) for _ in range(8)]
        del blocks
    print(faults() - before)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc only")
def test_what_a_thread_freed_is_there_for_it_again() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FAULTS], env=unset(), capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) < 4000, "of 40960 pages"


@pytest.mark.parametrize(("environment", "arenas"), [({}, [1]), ({"MALLOC_ARENA_MAX": "4"}, [])])
def test_the_number_of_arenas_is_the_users_where_it_is_set(
    environment: dict[str, str], arenas: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*malloc._MALLOC_VARIABLES, malloc._ARENAS):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked: list[tuple[int, int]] = []

    def mallopt(name: ctypes.c_int, value: ctypes.c_int) -> int:
        asked.append((name.value, value.value))
        return 1

    libc = SimpleNamespace(mallopt=mallopt, malloc_trim=lambda pad: 0)
    monkeypatch.setattr(malloc.ctypes, "CDLL", lambda name: libc)
    monkeypatch.setattr(malloc, "_trims", [])
    malloc.keep_freed_memory.cache_clear()
    assert malloc.keep_freed_memory()
    malloc.keep_freed_memory.cache_clear()
    assert [value for name, value in asked if name == malloc._M_ARENA_MAX] == arenas


RESIDENT = """
import torch
from gpen_fast.device.malloc import give_back_freed_memory, keep_freed_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20
print(give_back_freed_memory())
keep_freed_memory()
before = resident()
blocks = [torch.ones(4 << 20, dtype=torch.uint8) for _ in range(50)]
last = torch.ones(1)
del blocks
kept = resident() - before
print(kept > 150, give_back_freed_memory(), resident() - before < 50)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc only")
def test_what_was_kept_is_given_back_when_asked() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", RESIDENT], env=unset(), capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "True", "True", "True"]


def test_another_malloc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malloc.ctypes, "CDLL", lambda name: object())
    for name in malloc._MALLOC_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    malloc.keep_freed_memory.cache_clear()
    assert not malloc.keep_freed_memory()
    malloc.keep_freed_memory.cache_clear()
