"""Processor time of the PNG encoders for one picture, with and without other processes that compete for the cores.

Method: `--png-level small` and `fast`, and libpng at level 6 and 9 (torchvision), encode pictures of examples/ in
turns. The times are processor seconds of the whole process, all threads included, divided by the calls. Then as many
processes as the machine has cores, times --load, compute without end while the same is measured again. The exit status
is 1 if `small` takes more than twice the time of libpng 6.

Usage: python benchmarks/png_cpu.py [--calls 10] [--load 2]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.io import encode_png as by_libpng

from gpen_fast.png.host import encode_on_host

EXAMPLES = Path(__file__).parents[1] / "examples"
LIMIT = 2.0


def main() -> int:
    """Measures and prints. Exit status 1 over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--load", type=int, default=2)
    options = parser.parse_args()
    most = _printed("idle", options.calls)
    others = [
        multiprocessing.get_context("spawn").Process(target=_busy, daemon=True)
        for _ in range(options.load * (os.cpu_count() or 1))
    ]
    for other in others:
        other.start()
    time.sleep(1)
    most = max(most, _printed(f"{len(others)} busy processes", options.calls))
    for other in others:
        other.kill()
    return int(most > LIMIT)


def _printed(what: str, calls: int) -> float:
    """Prints the times of each picture; returns the largest ratio of small to libpng 6."""
    ratios = []
    for name, array in _pictures().items():
        tensor = torch.from_numpy(array).permute(2, 0, 1).contiguous()
        methods: dict[str, Callable[[], object]] = {
            "small": partial(encode_on_host, array, level="small"),
            "fast": partial(encode_on_host, array),
            "libpng 6": partial(by_libpng, tensor, 6),
            "libpng 9": partial(by_libpng, tensor, 9),
        }
        times = {method: _processor_ms(call, calls) for method, call in methods.items()}
        ratios.append(times["small"] / times["libpng 6"])
        shown = ", ".join(f"{method} {spent:.1f}" for method, spent in times.items())
        print(f"{what}: {name}: processor ms: {shown}; small over libpng 6: {ratios[-1]:.2f}", flush=True)
    return max(ratios)


def _pictures() -> dict[str, np.ndarray]:
    """A photograph, a degraded one, and a face as smooth as a restored one, in colour and grey."""
    photograph = Image.open(EXAMPLES / "astronaut.png").convert("RGB")
    degraded = Image.open(EXAMPLES / "grace_hopper-degraded.jpg").convert("RGB")
    face = photograph.crop((170, 60, 290, 180)).resize((512, 512), Image.Resampling.BICUBIC)
    return {
        "photograph": np.array(photograph),
        "degraded": np.array(degraded),
        "face": np.array(face),
        "grey face": np.array(face.convert("L"))[:, :, None],
    }


def _processor_ms(call: Callable[[], object], calls: int) -> float:
    call()
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1000


def _busy() -> None:
    while True:
        sum(range(100_000))


if __name__ == "__main__":
    sys.exit(main())
