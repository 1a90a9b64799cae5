"""glibc's memory allocator, told to keep memory for the next network call. Imports no torch."""

from __future__ import annotations

import ctypes
import os
from functools import cache

# glibc's names for what `keep_freed_memory` sets, and the ways in which a user may have set it.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_MALLOC_VARIABLES = ("GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_")


@cache
def keep_freed_memory() -> bool:
    """Lets this process keep what torch frees on the CPU for the next call, as CUDA's allocator does.

    glibc gives large blocks back to the system at once; new ones then cost a page fault for each 4 KB, up to a third
    of a face's time. The process stays at its highest use. False, and nothing done, without glibc or where the
    environment sets malloc's ways already.
    """
    if any(os.environ.get(name) for name in _MALLOC_VARIABLES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    told = {_M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: 2**31 - 1, _M_TOP_PAD: 64 << 20}
    return all(mallopt(ctypes.c_int(name), ctypes.c_int(value)) for name, value in told.items())
