"""A batch on a CPU: small faces side by side, each on a core of its own; a single face on all cores together.

Every call into oneDNN has a part that one core does while the others wait, and ends in a barrier: in a small network
these cost a tenth to a fifth of the time, more where readers and writers want the cores too. Large faces side by side
push one another out of the caches.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import wait

import torch
from torch import Tensor

from gpen_fast.device.threads import side_by_side

# Faces of so many pixels a side gain nothing side by side.
LARGE = 512
# Faces in memory at the same time: with more cores than that each face has several.
_MOST = 8


class ParallelFaces:
    """(B,3,S,S) float32 RGB in [-1,1] to the same, on a CPU, for any B from 1.

    make: gives the network. It is called once here and, where faces run side by side, once on a thread of theirs:
    oneDNN lays weights out for the number of cores that will read them. size: S, pixels. The cores are torch's threads
    as they are counted now. A process that was forked off later has all its faces one by one.
    """

    def __init__(self, make: Callable[[], Callable[[Tensor], Tensor]], size: int) -> None:
        cores = torch.get_num_threads()
        each = cores if size >= LARGE else -(-cores // _MOST)
        self.at_once = cores // each
        self._alone = self._beside = make()
        self._home = os.getpid()
        if self.at_once > 1:
            self._pool = side_by_side(self.at_once, each)
            self._beside = self._pool.submit(make).result()

    @property
    def batch(self) -> int:
        """Faces that suit a call."""
        return self.at_once * (_MOST // self.at_once) if self.at_once > 1 else 1

    def __call__(self, faces: Tensor) -> Tensor:
        """Up to half a round of faces at the end is quicker on all cores, one by one."""
        left = len(faces) % self.at_once
        beside = len(faces) - left if 2 * left <= self.at_once else len(faces)
        # Threads do not go along when a process forks.
        if self.at_once == 1 or beside < 2 or os.getpid() != self._home:
            return _one_by_one(self._alone, faces)
        shares = faces[:beside].tensor_split(min(self.at_once, beside))
        running = [self._pool.submit(_one_by_one, self._beside, share) for share in shares]
        # What one share's failure leads to, a smaller batch, must find the memory of the others free.
        wait(running)
        return torch.cat([*(each.result() for each in running), *map(self._alone, _each(faces[beside:]))])


def _one_by_one(run: Callable[[Tensor], Tensor], faces: Tensor) -> Tensor:
    # Whether gradients are kept is a matter of each thread.
    with torch.no_grad():
        return torch.cat([run(face) for face in _each(faces)])


def _each(faces: Tensor) -> Iterator[Tensor]:
    """(1,3,S,S) each; Tensor.split would make one of no faces."""
    return (face[None] for face in faces)
