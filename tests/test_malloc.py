"""What glibc is told, and what is left alone."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from gpen_fast import malloc


def kept_memory(**environment: str) -> str:
    """What `keep_freed_memory` says in a process of its own: malloc's ways are the whole process's."""
    code = "from gpen_fast.malloc import keep_freed_memory as keep; print(keep(), keep())"
    clean = {name: value for name, value in os.environ.items() if name not in malloc._MALLOC_VARIABLES}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc only")
def test_freed_memory_is_kept_unless_the_user_said_otherwise() -> None:
    assert kept_memory() == "True True"
    assert kept_memory(MALLOC_TRIM_THRESHOLD_="131072") == "False False"


def test_another_malloc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malloc.ctypes, "CDLL", lambda name: object())
    for name in malloc._MALLOC_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    malloc.keep_freed_memory.cache_clear()
    assert not malloc.keep_freed_memory()
    malloc.keep_freed_memory.cache_clear()
