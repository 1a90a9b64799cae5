"""A batch on a CPU: small faces side by side, each on cores of its own; a single face on all cores together.

Every call into oneDNN has a part that one core does while the others wait, and ends in a barrier. In a small network
these take a tenth to a fifth of the time, and more where readers and writers want the cores too. Large faces side by
side evict one another from the caches.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import wait

import torch
from torch import Tensor

from gpen_fast.device.threads import limited_thread_pool

LARGE = 512
"""Side in pixels from which faces gain nothing side by side."""
# Faces in memory at the same time; with more cores than that, each face has several.
_MOST = 8


class ParallelFaces:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, on a CPU, for any B from 1.

    The cores are torch's threads as counted by the constructor. In a forked child, faces run one at a time: threads
    do not survive a fork.

    Args:
        create_network: Builds the network. It is called once here and, where faces run side by side, once more on a
            thread of the pool: oneDNN repacks weights for the number of cores that will read them.
        size: S, pixels.
    """

    def __init__(self, create_network: Callable[[], Callable[[Tensor], Tensor]], size: int) -> None:
        cores = torch.get_num_threads()
        cores_each = cores if size >= LARGE else -(-cores // _MOST)
        self.workers = cores // cores_each
        self._on_all_cores = self._side_by_side = create_network()
        self._process = os.getpid()
        if self.workers > 1:
            self._pool = limited_thread_pool(self.workers, cores_each)
            self._side_by_side = self._pool.submit(create_network).result()

    @property
    def batch(self) -> int:
        """Faces of a call that keep all workers busy: a multiple of the workers, at most eight; or 1."""
        return self.workers * (_MOST // self.workers) if self.workers > 1 else 1

    def __call__(self, faces: Tensor) -> Tensor:
        """Restores faces.

        The faces that are left after the last full round run on all cores, one by one, if they are at most half a
        round: that is faster than a round in which half the workers idle.
        """
        left = len(faces) % self.workers
        side_by_side = len(faces) - left if 2 * left <= self.workers else len(faces)
        # A forked child has no pool threads and would wait for ever.
        if self.workers == 1 or side_by_side < 2 or os.getpid() != self._process:
            return _one_by_one(self._on_all_cores, faces)
        shares = faces[:side_by_side].tensor_split(min(self.workers, side_by_side))
        running = [self._pool.submit(_one_by_one, self._side_by_side, share) for share in shares]
        # All must end before one's failure is raised: the caller may try a smaller batch, which needs their memory.
        wait(running)
        alone = map(self._on_all_cores, _each(faces[side_by_side:]))
        return torch.cat([*(share.result() for share in running), *alone])


def _one_by_one(run: Callable[[Tensor], Tensor], faces: Tensor) -> Tensor:
    # Gradient mode belongs to a thread: the caller's no_grad does not reach the pool.
    with torch.no_grad():
        return torch.cat([run(face) for face in _each(faces)])


def _each(faces: Tensor) -> Iterator[Tensor]:
    """(1,3,S,S) each. Tensor.split would turn an empty batch into one item without a face."""
    return (face[None] for face in faces)
