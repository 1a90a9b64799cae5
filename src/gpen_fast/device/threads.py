"""CPU threads and random generators."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import torch


def single_threaded() -> None:
    """This process computes on one core: for work that several processes share."""
    torch.set_num_threads(1)


def side_by_side(number: int, threads: int) -> ThreadPoolExecutor:
    """`number` threads of which each computes on `threads` cores; those of the caller stay as they are.

    Raises RuntimeError where the system has no more threads to give.
    """
    # torch counts threads for each thread of the program, and for threads to come as whoever set it last.
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(number, "gpen-fast-core", initializer=_compute_on, initargs=(threads,))
    all_there = threading.Barrier(number)
    try:
        for waiting in [pool.submit(all_there.wait) for _ in range(number)]:
            waiting.result()
    finally:
        # Those that came wait for the others, at the program's end too, unless they are told.
        all_there.abort()
        torch.set_num_threads(before)
    return pool


def _compute_on(threads: int) -> None:
    # A thread's first question makes it follow whoever set the number last: it comes before the answer that counts.
    torch.get_num_threads()
    torch.set_num_threads(threads)


def seeded(seed: int) -> torch.Generator:
    """Random numbers of one's own; the process's stay untouched."""
    return torch.Generator().manual_seed(seed)
