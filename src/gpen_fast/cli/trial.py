"""A trial start, where the address space is limited: the libraries below Python end a process that runs out of it."""

from __future__ import annotations

import subprocess
import sys

from gpen_fast.errors import InstallError

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

_GB = 1e9
# Bytes. With CUDA's libraries a start needs about 4 GB of address space; without a trial it may end in std::bad_alloc
# or in a message of OpenBLAS.
_ENOUGH = 8 << 30
# Bytes that must still be free after the start: what one picture of ten megapixels takes.
_RESERVE = 256 << 20
_TRIAL = f"""
import mmap
try:
    import gpen_fast.run.runtime
    mmap.mmap(-1, {_RESERVE})
except MemoryError:
    raise
except OSError as error:
    if error.errno:
        raise
except Exception:  # what is not a lack of memory the command itself meets and explains
    pass
"""


def shown_limit() -> str:
    """The process's limit of address space, as a message says it; "" where there is none."""
    limit = _limit()
    return f": this process may use {limit / _GB:.1f} GB of address space (ulimit -v)" if limit else ""


def refuse_little_memory() -> None:
    """Starts a process that loads what a run loads, if the limit of address space is low.

    Raises:
        InstallError: It ended for lack of memory.
    """
    limit = _limit()
    if limit is None or limit >= _ENOUGH:
        return
    if subprocess.run([sys.executable, "-c", _TRIAL], capture_output=True, check=False).returncode:
        raise InstallError(f"memory does not suffice to start{shown_limit()}. Raise that limit.")


def _limit() -> int | None:
    """Bytes; None without a limit."""
    if resource is None:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
