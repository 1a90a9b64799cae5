"""Memory of this process and of those that it started."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

# Linux tells the peak of the process's own memory in this file, in KiB.
_STATUS, _PEAK = Path("/proc/self/status"), "VmHWM:"


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
    peak = _own_peak_kib() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if children:
        peak += children * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    # getrusage counts bytes on macOS and KiB elsewhere.
    return peak if sys.platform == "darwin" else peak * 1024


def _own_peak_kib() -> int | None:
    """KiB; None where the system has no such file.

    getrusage also counts what the process that started this one held at the start: a small process that a large one
    started would look large.
    """
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(_PEAK)), None)


def resident_bytes(process: int | None = None) -> int | None:
    """Resident memory at the moment, bytes; None where the system does not report it, or the process has ended.

    Args:
        process: Its number; None for this one.
    """
    with contextlib.suppress(OSError, IndexError, ValueError):
        pages = Path(f"/proc/{process or 'self'}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return None
