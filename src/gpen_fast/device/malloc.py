"""glibc's memory allocator: what networks free is kept for the next call, not what large pictures leave. No torch."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache

# glibc's names for what `keep_freed_memory` sets, and the ways in which a user may have set it.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_MALLOC_VARIABLES = (
    "GLIBC_TUNABLES",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
)
# Set in many containers, and by itself no word about what is freed: of arenas there are as many as it says.
_ARENAS = "MALLOC_ARENA_MAX"

# glibc's malloc_trim, once it was told to keep memory.
_trims: list[Callable[[int], int]] = []


@cache
def keep_freed_memory() -> bool:
    """Lets this process keep what torch frees on the CPU for the next call, as CUDA's allocator does.

    glibc gives large blocks back to the system at once; new ones then cost a page fault for each 4 KB, up to a third
    of a face's time. The process stays near its highest use, but for `give_back_freed_memory`. False, and nothing
    done, without glibc or where the environment sets malloc's ways already.
    """
    if any(os.environ.get(name) for name in _MALLOC_VARIABLES):
        return False
    try:
        libc = ctypes.CDLL(None)
        mallopt, trim = libc.mallopt, libc.malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    # M_TOP_PAD is left alone: a large one keeps what every thread freed, and gains no time.
    # One arena for all threads: every other gives its memory back in pieces of 64 MB, whatever the threshold is.
    told = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1}
    if not os.environ.get(_ARENAS):
        told[_M_ARENA_MAX] = 1
    if not all(mallopt(ctypes.c_int(name), ctypes.c_int(value)) for name, value in told.items()):
        return False
    _trims.append(trim)
    return True


def give_back_freed_memory() -> bool:
    """Gives what is free to the system, where `keep_freed_memory` keeps it; whether there was any.

    For after a large picture: it takes some 20 ms, and as much of the next network call.
    """
    return any(trim(0) for trim in _trims)
