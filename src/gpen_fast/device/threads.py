"""CPU threads and random generators."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

_Item = TypeVar("_Item")


def use_one_thread() -> None:
    """Makes torch and OpenCV compute on one core in this process: for processes that share a machine's cores."""
    import cv2

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@contextmanager
def one_core_left() -> Iterator[None]:
    """While the block runs, torch computes on all cores but one, and OpenCV on one: for lines of threads that compute.

    Networks are to be opened inside it, since oneDNN packs weights for the cores that will read them.
    """
    import cv2

    torch_threads, cv2_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(max(1, torch_threads - 1))
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(torch_threads)
        cv2.setNumThreads(cv2_threads)


def limited_thread_pool(workers: int, torch_threads: int) -> ThreadPoolExecutor:
    """Starts a pool in which each worker computes on a part of the cores.

    The caller's number of torch threads stays as it is, and so does that of threads that start later.

    Args:
        workers: Threads of the pool. All run when this returns.
        torch_threads: Cores that torch uses in each of them.

    Raises:
        RuntimeError: The system cannot start so many threads.
    """
    # torch keeps a number of threads for each thread of the program. A new thread begins with the number that was
    # set last, by whichever thread: the workers' calls would change what later threads begin with.
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(
        workers, "gpen-fast-core", initializer=_set_torch_threads, initargs=(torch_threads,)
    )
    # An executor starts a thread only where none is idle: each waits here until all have started.
    all_started = threading.Barrier(workers)
    try:
        for waiting in [pool.submit(all_started.wait) for _ in range(workers)]:
            waiting.result()
    finally:
        # Where a thread could not start, the others would wait for it for ever, and the program's end for them.
        all_started.abort()
        torch.set_num_threads(before)
    return pool


@contextmanager
def own_torch_threads(number: int) -> Iterator[None]:
    """Within it, torch uses so many cores in the calling thread: for threads that work beside each other.

    In a generator, all of it must run in one thread.
    """
    before = torch.get_num_threads()
    _set_torch_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_cores(number: int, items: Callable[[], Iterator[_Item]]) -> Iterator[_Item]:
    """The items of an iterator that one thread makes and runs; torch uses so many cores for them."""
    with own_torch_threads(number):
        yield from items()


def cores_beside(threads: int) -> int:
    """The cores that torch has beside so many threads with one core each; at least one."""
    return max(1, torch.get_num_threads() - threads)


def _set_torch_threads(number: int) -> None:
    # The first get_num_threads of a thread overwrites its number with the one that was set last, so it comes first.
    torch.get_num_threads()
    torch.set_num_threads(number)


def seeded(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own with this seed, for tensors of `device`; the process's generator stays untouched."""
    return torch.Generator(device).manual_seed(seed)
