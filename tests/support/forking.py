"""A program that uses the Python interface, forks in many ways, and prints what its children could do.

Arguments: weights, a picture. It runs as a process of its own: pytest's has threads of others. Each child has 40
seconds, after which the system ends it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

import gpen_fast
from gpen_fast import Restorer
from gpen_fast.errors import DeviceError
from gpen_fast.gpen import load_network
from gpen_fast.png import encode_png

WEIGHTS, PICTURE = sys.argv[1:3]


def tell(way: str, what: object) -> None:
    sys.stdout.write(f"{way}: {what}\n")
    sys.stdout.flush()


def in_child(name: str, work: Callable[[], object]) -> None:
    """Prints what `work` returns in a forked child, its DeviceError, or how the child ended."""
    sys.stdout.flush()
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        if status:
            tell(name, f"ended by {status}")
        return
    signal.alarm(40)
    try:
        tell(name, work())
    except DeviceError as error:
        tell(name, f"DeviceError {error}")
    os._exit(0)


class Faces(Dataset):
    """Counts the faces of one picture, again and again."""

    def __init__(self, restorer: Restorer) -> None:
        self.restorer = restorer

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        signal.alarm(40)
        return len(self.restorer.restore(PICTURE).faces)


def faces(restorer: Restorer) -> int:
    return len(restorer.restore(PICTURE).faces)


def many(restorer: Restorer) -> list[int]:
    return [len(done.faces) for done in restorer.restore_many([PICTURE] * 3)]


def round_trip() -> tuple[int, ...]:
    frame = gpen_fast.load_image(PICTURE)
    gpen_fast.save_image(frame, Path(WEIGHTS).parent / "forked.png")
    encode_png(frame.pixels)
    return tuple(gpen_fast.load_image(Path(WEIGHTS).parent / "forked.png").pixels.shape)


def main() -> None:
    torch.set_num_threads(2)  # one core alone would need no pool
    restorer = Restorer(weights=WEIGHTS, precision="fp32")
    network = load_network(WEIGHTS, form="folded")
    crops = torch.rand(2, 3, 64, 64)
    in_child("never used", lambda: faces(restorer))
    faces(restorer), many(restorer), network(crops)
    in_child("used", lambda: (faces(restorer), many(restorer)))
    in_child("new one", lambda: faces(Restorer(weights=WEIGHTS, precision="fp32")))
    in_child("pictures", round_trip)
    in_child("network", lambda: tuple(network(crops).shape))
    in_child("threads", lambda: (faces(restorer), torch.get_num_threads())[1])
    in_child("grandchild", lambda: in_child("its child", lambda: faces(restorer)))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        tell("pool", pool.map_async(faces_of_global, [restorer] * 2).get(60))
    batches = DataLoader(Faces(restorer), num_workers=2, multiprocessing_context="fork")
    tell("loader", [int(batch) for batch in batches])
    running = restorer.restore_many([PICTURE] * 6)
    next(running)
    in_child("goes on", lambda: next(running))
    in_child("during a run", lambda: faces(restorer))
    running.close()
    in_child("after the run", lambda: faces(restorer))
    tell("parent", (faces(restorer), torch.get_num_threads()))
    tell("pickled", faces(pickle.loads(pickle.dumps(restorer))))


def faces_of_global(restorer: Restorer) -> int:
    signal.alarm(40)
    return faces(restorer)


if __name__ == "__main__":
    main()
