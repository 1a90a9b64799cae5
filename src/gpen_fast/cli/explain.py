"""Errors of the machine, not of gpen-fast: what the user is told instead of a traceback. Imports no torch."""

from __future__ import annotations

import errno

from gpen_fast.cli.trial import shown_limit
from gpen_fast.plugins.install import import_failure, lacks_library, lacks_memory

# How Python, torch and the C++ library say that memory, or what the system needs of it for a thread, does not suffice.
_NO_MEMORY = ("can't start new thread", "DefaultCPUAllocator", "bad_alloc", "Cannot allocate memory")
_ONEDNN = "could not create a primitive"


def explained(error: Exception) -> str | None:
    """Returns one line for an error that a package or the system causes, with what to try.

    Args:
        error: What ended the command.

    Returns:
        The line; None for every other error, whose traceback tells more.
    """
    if _lacks_memory(error):
        return f"memory does not suffice{shown_limit()}. Close other programs, or raise the limit."
    is_ours = isinstance(error, ImportError) and (error.name or "").startswith("gpen_fast")
    if (isinstance(error, ImportError) and not is_ours) or (
        isinstance(error, OSError) and lacks_library(error)
    ):
        return "{}. Try: {}".format(*import_failure(error))
    return None


def _lacks_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    if isinstance(error, ImportError | OSError):
        return lacks_memory(error)
    if isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY):
        return True
    # oneDNN and C extensions have no other words for a lack of memory; without a limit they mean something else.
    vague = isinstance(error, SystemError) or (isinstance(error, RuntimeError) and _ONEDNN in str(error))
    return vague and bool(shown_limit())
