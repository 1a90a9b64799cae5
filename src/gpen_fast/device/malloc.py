"""glibc's memory allocator: memory that networks free is kept for the next call. Imports no torch."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache

# glibc's names of what `keep_freed_memory` sets (malloc.h), and the variables by which a user may have set it.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_MALLOC_VARIABLES = (
    "GLIBC_TUNABLES",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
)
# Many containers set this one. It says how many arenas there are, and nothing about freed memory, so it is obeyed
# and does not stop the rest.
_ARENAS = "MALLOC_ARENA_MAX"

# glibc's malloc_trim, once glibc keeps freed memory; empty before.
_trims: list[Callable[[int], int]] = []


@cache
def keep_freed_memory() -> bool:
    """Makes this process keep the memory that torch frees on the CPU for the next call, as CUDA's allocator does.

    glibc returns large blocks to the system at once, and every new one costs a page fault for each 4 KB: up to a
    third of a face's time. The process then stays near its highest use of memory until `give_back_freed_memory`.

    Returns:
        False, and nothing changed, without glibc or where an environment variable sets the allocator already.
    """
    if any(os.environ.get(name) for name in _MALLOC_VARIABLES):
        return False
    try:
        libc = ctypes.CDLL(None)
        mallopt, trim = libc.mallopt, libc.malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    # M_TOP_PAD stays as it is: a large value keeps memory in every thread, and saves no time.
    # One arena for all threads: the others return memory in pieces of 64 MB, whatever the threshold is.
    options = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1}
    if not os.environ.get(_ARENAS):
        options[_M_ARENA_MAX] = 1
    if not all(mallopt(ctypes.c_int(name), ctypes.c_int(value)) for name, value in options.items()):
        return False
    _trims.append(trim)
    return True


def give_back_freed_memory() -> bool:
    """Returns free memory to the system, where `keep_freed_memory` keeps it.

    For the moment after a large picture: it takes some 20 ms, and makes the next network call as much slower.

    Returns:
        Whether any memory was returned.
    """
    return any(trim(0) for trim in _trims)
