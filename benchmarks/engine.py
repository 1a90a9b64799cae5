"""How much of the machine a long run of `enhance` uses: many pictures at once against each part alone.

Method. Runs over N and over 2N pictures are timed as whole processes, wall time and CPU time; the difference of the two
is N pictures in the steady state, without start and end. All figures of one turn are measured one after the other; the
medians of the turns are reported. Nothing else may run meanwhile.

- `idle`: wall time over (CPU time / cores). 1.00: no core ever waited.
- `of the parts`: pictures a second over cores / (seconds of decoding, the network and PNG encoding of one picture, each
  called alone on one thread).
  --keep-detail is none of these parts, and is on unless the name of the figure says otherwise.
- `over one by one`: pictures a second over those of the stages run one after the other on all cores.
- `two over one`: with detection, two processes of one core each (--devices cpu:2) over a process pinned to one core.

Usage: python benchmarks/engine.py [--pictures FOLDER] [--number 400] [--turns 3] [--commit]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
from stages import HERE, add_commit, results_folder

from gpen_fast import __version__
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.environment import commit
from gpen_fast.measure.export.json import write_json
from gpen_fast.measure.recorder import Recorder
from gpen_fast.png.host import encode_on_host
from gpen_fast.run.job import Pasted, PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import Settings
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import open_writer

PORTRAITS = HERE.parent.parent / "shared" / "data" / "portraits256"
MODEL = "gpen-lite-256"


def main() -> None:
    """Measures the turns, prints the medians and writes them."""
    options = _options()
    folder = results_folder(options.commit)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        few, many = _albums(options.pictures, place, options.number)
        turns = [_turn(few, many, place / "out") for _ in range(options.turns)]
    figures = {key: round(statistics.median(turn[key] for turn in turns), 4) for key in turns[0]}
    print(json.dumps(figures, indent=1))
    figures_of_all = {
        "schema": 1, "suite": "engine", "version": __version__, "commit": commit(), "model": MODEL,
        "pictures": options.number, "medians": figures, "turns": turns,
    }  # fmt: skip
    write_json(figures_of_all, folder / "engine.json")


def _albums(pictures: Path, place: Path, number: int) -> tuple[Path, Path]:
    """Folders of N and of 2N aligned JPEGs of 256 pixels."""
    found = sorted(pictures.glob("*.jpg"))
    for count, folder in ((number, place / "few"), (2 * number, place / "many")):
        folder.mkdir()
        for index in range(count):
            shutil.copyfile(found[index % len(found)], folder / f"{index:05d}.jpg")
    return place / "few", place / "many"


def _turn(few: Path, many: Path, out: Path) -> dict[str, float]:
    number, cores = len(list(few.iterdir())), len(os.sched_getaffinity(0))
    wall, cpu = _steady(few, many, out, "--skip-detect")
    plain, _ = _steady(few, many, out, "--skip-detect", "--keep-detail", "0")
    two, _ = _steady(few, many, out, "--devices", "cpu:2")
    one, _ = _steady(few, many, out, pinned=True)
    parts, alone = _parts(sorted(few.iterdir())[:64]), _one_by_one(sorted(few.iterdir())[:64], out)
    return {
        "images_per_s": number / wall,
        "idle": wall / (cpu / cores),
        "decode_ms": parts["decode"] * 1e3,
        "network_ms": parts["network"] * 1e3,
        "png_ms": parts["png"] * 1e3,
        "of_the_parts": number / wall / (cores / sum(parts.values())),
        "of_the_parts_without_keep_detail": number / plain / (cores / sum(parts.values())),
        "one_by_one_images_per_s": 1 / alone,
        "over_one_by_one": number / wall * alone,
        "two_with_detection_images_per_s": number / two,
        "one_with_detection_images_per_s": number / one,
        "two_over_one": one / two,
    }


def _steady(few: Path, many: Path, out: Path, *flags: str, pinned: bool = False) -> tuple[float, float]:
    """Wall and CPU seconds of N pictures."""
    more, less = _run(many, out, flags, pinned), _run(few, out, flags, pinned)
    return more[0] - less[0], more[1] - less[1]


def _run(pictures: Path, out: Path, flags: tuple[str, ...], pinned: bool) -> tuple[float, float]:
    """Wall and CPU seconds of one process and its children."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "gpen_fast", "enhance", str(pictures), str(out), "--offline", "--quiet"]
    command += ["--model", MODEL, *flags]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    pin: Callable[[], None] | None = (lambda: os.sched_setaffinity(0, {0})) if pinned else None
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pin)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _parts(pictures: list[Path]) -> dict[str, float]:
    """Seconds of each part for one picture, called alone on one thread: the shortest of five rounds."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    runtime = load_runtime(Settings.from_flat(detector="none", model=MODEL, offline=True))
    frames = [load(path, torch.device("cpu")) for path in pictures]
    face = torch.rand(1, 3, runtime.size, runtime.size) * 2 - 1
    arrays = [frame.pixels.permute(1, 2, 0).contiguous().numpy() for frame in frames]
    work: dict[str, Callable[[], object]] = {
        "decode": lambda: [load(path, torch.device("cpu")) for path in pictures],
        "network": lambda: [runtime.generator.backend(face) for _ in pictures],
        "png": lambda: [encode_on_host(array) for array in arrays],
    }
    seconds = {name: _shortest(run) / len(pictures) for name, run in work.items()}
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    return seconds


def _one_by_one(pictures: list[Path], out: Path) -> float:
    """Seconds of a picture whose stages run one after the other, on all cores."""
    runtime = load_runtime(Settings.from_flat(detector="none", model=MODEL, offline=True))
    pipeline, writer = Pipeline(runtime, Clock(Recorder())), open_writer("png")
    out.mkdir(exist_ok=True)

    def write(picture: Pasted) -> None:
        (out / "one.png").write_bytes(writer.encode(picture.result, quality=95))

    def run() -> None:
        for index, path in enumerate(pictures):
            pipeline.save(pipeline.restore(PictureSource(index, path)), write)

    return _shortest(run) / len(pictures)


def _shortest(run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, default=PORTRAITS, help="a folder of aligned JPEGs")
    parser.add_argument("--number", type=int, default=400, help="N")
    parser.add_argument("--turns", type=int, default=3)
    add_commit(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
