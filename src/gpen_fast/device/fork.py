"""Forked child processes: the thread pools of torch and OpenCV do not survive a fork, and CUDA does not either.

After a fork, a call that waits for a thread of the parent waits for ever: libgomp, which torch uses, and OpenCV keep
their threads in pools and do not notice. With one thread each they do not use their pools. Every entry of the Python
interface calls `ready_after_fork` first.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

import torch

from gpen_fast.errors import DeviceError

_SPAWN = (
    'Start child processes with multiprocessing.get_context("spawn"), for a DataLoader with '
    'multiprocessing_context="spawn".'
)

# One object for each call that is at work in this process. Adding to a set and discarding are atomic: a lock could
# itself be held when the process forks.
_at_work: set[object] = set()
# This process is a forked child: its pools are still to be given up.
_has_dead_pools = False
# It was forked while the parent was restoring: another thread of the parent may have held any lock.
_has_held_locks = False


class ForkGuard:
    """What an object checks that a child process may inherit.

    Args:
        device: Where the object works.
    """

    def __init__(self, device: torch.device) -> None:
        ready_after_fork()
        self._device = device
        self._process = os.getpid()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Marks the calling process as at work inside the block: a child that is forked meanwhile cannot restore.

        Raises:
            DeviceError: As `check`.
        """
        self.check()
        ticket = object()
        _at_work.add(ticket)
        try:
            yield
        finally:
            _at_work.discard(ticket)

    def check(self) -> None:
        """Makes the object usable in a forked child.

        Raises:
            DeviceError: It works on CUDA, or as `ready_after_fork`.
        """
        if self._device.type == "cuda" and os.getpid() != self._process:
            raise DeviceError(
                f"this process was forked from one that works on {self._device}, and CUDA does not survive a fork. "
                + _SPAWN
            )
        ready_after_fork()


def ready_after_fork() -> None:
    """Lets torch and OpenCV compute in a forked child, on one core each; does nothing in any other process.

    Raises:
        DeviceError: The process was forked while its parent was restoring.
    """
    global _has_dead_pools
    if _has_held_locks:
        raise DeviceError(
            "this process was forked while gpen-fast was restoring, so that it would wait for threads that it does "
            f"not have. Fork before or after, not within restore_many. Or: {_SPAWN}"
        )
    if not _has_dead_pools:
        return
    torch.set_num_threads(1)
    if opencv := sys.modules.get("cv2"):
        # 0 is serial, as 1 is. But 1 waits for the pool's threads to end, and they are not there.
        opencv.setNumThreads(0)
    _has_dead_pools = False


def _note_fork() -> None:
    """Runs in every forked child, before anything else of it."""
    global _has_dead_pools, _has_held_locks
    _has_dead_pools = True
    _has_held_locks = _has_held_locks or bool(_at_work)
    _at_work.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_note_fork)
