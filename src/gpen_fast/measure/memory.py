"""Peak memory of this process."""

from __future__ import annotations

import sys


def host_peak_bytes() -> int | None:
    """The most resident memory since the process started, in bytes; None where the system does not report it."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # getrusage counts bytes on macOS and KiB elsewhere.
    return peak if sys.platform == "darwin" else peak * 1024
