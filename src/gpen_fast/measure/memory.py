"""Memory of this process and of those that it started."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def host_peak_bytes(children: int = 0) -> int | None:
    """The most resident memory since the process started, in bytes; None where the system does not report it.

    Args:
        children: Processes that ran beside it and have ended. Each counts as the largest of them, which counts memory
            that they share with this process, such as the weights, once for each: the true peak is smaller.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if children:
        peak += children * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    # getrusage counts bytes on macOS and KiB elsewhere.
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes(process: int | None = None) -> int | None:
    """Resident memory at the moment, bytes; None where the system does not report it, or the process has ended.

    Args:
        process: Its number; None for this one.
    """
    with contextlib.suppress(OSError, IndexError, ValueError):
        pages = Path(f"/proc/{process or 'self'}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return None
