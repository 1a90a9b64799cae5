"""Kills in-place runs at random moments, brings the originals back, and compares every byte and time.

Method: each try starts `gpen-fast enhance ALBUM --in-place --overwrite` and kills it (SIGKILL) at a random moment: one
try in ten between the start and the end, the others between the first replaced picture and the end. Then
every picture must be its original or a whole result. Every second try kills a second run over the same album, too.
`gpen-fast undo`, itself killed at a random moment in every third try and started again, must bring back each original
with its bytes, its time of change and its permissions, and leave no other file.

Usage: python benchmarks/kills.py [--tries 100] [--pictures 40] [--copies] [--seed 0]
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
from PIL import Image
from safetensors.torch import save_file

from gpen_fast.cli import app, start
from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.run import enhance as run_enhance
from gpen_fast.run import runtime

# Imported once for all forks.
__all__ = ["app", "cv2", "run_enhance", "runtime", "torch"]

# Side of the network's faces, pixels: with --skip-detect that of every result.
SIDE = 64
# A small network of random weights: most of a run is then the writing.
NETWORK = config_from_arguments(SIDE, style_dim=64, channel_multiplier=1, narrow=0.125)
WEIGHTS = "weights.safetensors"
# About how long an undo takes.
UNDO_SECONDS = 0.05
RECORD = ".gpen-fast/originals/results.jsonl"
Album = dict[str, tuple[str, int, int]]


def main() -> int:
    """Runs the tries and prints the counts. Exit status 1 if a picture was lost."""
    options = _options()
    if options.copies:
        os.link = _refuse_link
    moments, counts = random.Random(options.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        album = Path(name) / "album"
        save_file(random_state(NETWORK), album.with_name(WEIGHTS))
        written(album, options.pictures)
        before = contents(album)
        beginning, writing = _seconds(album)
        for number in range(options.tries):
            for _ in range(1 + number % 2):
                if number % 10:
                    killed(enhance(album), moments.uniform(0, writing), first=album / RECORD)
                else:
                    killed(enhance(album), moments.uniform(0, beginning + writing))
                counts["kills of a run"] += 1
                counts["pictures replaced at these"] += checked(album, before)
            if number % 3 == 0:
                killed(undo(album), moments.uniform(0, UNDO_SECONDS))
                counts["kills of an undo"] += 1
            finished(undo(album))
            known = {*before, "journal.jsonl", "run.lock"}
            left = [path for path in album.rglob("*") if path.is_file() and path.name not in known]
            counts["temporary files left"] += len(left)
            for path in left:
                assert path.name.endswith(".part"), path
                path.unlink()
            assert contents(album) == before, f"try {number}: undo did not bring everything back"
            counts["tries"] += 1
    for what, count in counts.items():
        print(f"{what}: {count}")
    print("each picture was old or new at every kill; every original came back with its bytes, time and mode")
    return 0


def written(album: Path, pictures: int) -> None:
    """Makes an album of small pictures with times and permissions of their own."""
    album.mkdir()
    for number in range(pictures):
        path = album / f"{number:03d}.png"
        Image.effect_noise((SIDE, SIDE), 40 + number).save(path)
        path.chmod(0o600 + number % 8 * 8)
        os.utime(path, ns=(1_000_000_000 + number, 900_000_000_123_456_789 + number))


def contents(album: Path) -> Album:
    """Each picture's hash, time of change and permissions."""
    return {
        path.name: (_hash(path), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in sorted(album.glob("*.png"))
    }


def checked(album: Path, before: Album) -> int:
    """How many pictures are results; fails where one is neither whole nor the original."""
    replaced = 0
    assert sorted(before) == sorted(path.name for path in album.glob("*.png"))
    for name, (hashed, _, mode) in before.items():
        path = album / name
        if _hash(path) == hashed:
            continue
        with Image.open(path) as image:
            image.load()
            assert image.size == (SIDE, SIDE)
            assert b"gpen-fast" in image.info["exif"]
        assert path.stat().st_mode == mode
        replaced += 1
    return replaced


def enhance(album: Path) -> list[str]:
    """The arguments that restore the album in place."""
    weights = str(album.with_name(WEIGHTS))
    return [
        "enhance",
        # Random weights: by default their result would not be used, and no picture replaced.
        "--keep-detail",
        "0",
        str(album),
        "--in-place",
        "--overwrite",
        "--skip-detect",
        "--quiet",
        "--weights",
        weights,
    ]


def undo(album: Path) -> list[str]:
    """The arguments that bring the originals back."""
    return ["undo", str(album)]


def started(
    arguments: list[str], *, prepare: Callable[[], None] = lambda: None, errors: str = os.devnull
) -> int:
    """Runs the command line in a fork of this process, which has imported everything. Returns the process's number.

    Args:
        arguments: The command and what follows it.
        prepare: Called in the fork before the command.
        errors: The file that takes standard error.
    """
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.argv = ["gpen-fast", *arguments]
        prepare()
        status = _status_of_main()
    finally:
        os._exit(status)


def _status_of_main() -> int:
    try:
        start.run_program()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def finished(arguments: list[str]) -> None:
    """Runs the command line to its end, which must be good."""
    assert os.waitpid(started(arguments), 0)[1] == 0, arguments


def killed(arguments: list[str], moment: float, first: Path | None = None) -> bool:
    """Starts the command line and kills it, if it still runs.

    Args:
        arguments: The command and what follows it.
        moment: Seconds from the start to the kill.
        first: The seconds begin when this file has grown instead.

    Returns:
        Whether it still ran.
    """
    size = _size(first)
    child = started(arguments)
    while (
        first
        and _size(first) == size
        and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    ):
        time.sleep(0.001)
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _size(file: Path | None) -> int:
    return file.stat().st_size if file and file.exists() else 0


def run_seconds(arguments: list[str], first: Path) -> tuple[float, float]:
    """How long a run takes: until this file has grown, and from there to the end."""
    begin = time.monotonic()
    child = started(arguments)
    while not _size(first):
        time.sleep(0.001)
    grown = time.monotonic()
    assert os.waitpid(child, 0)[1] == 0
    return grown - begin, time.monotonic() - grown


def _seconds(album: Path) -> tuple[float, float]:
    """How long a run over the album takes: up to the first replaced picture, and from there to the end."""
    seconds = run_seconds(enhance(album), album / RECORD)
    finished(undo(album))
    return seconds


def _refuse_link(*names: object, **options: object) -> None:
    """Stands for `os.link` on a file system without hard links."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--copies", action="store_true", help="the file system refuses hard links")
    parser.add_argument("--seed", type=int, default=os.getpid())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
