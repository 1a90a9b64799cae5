"""Kills runs of `video --frames` at random moments, lets the last one end, and compares with an undisturbed run.

    python tests/support/picture_kills.py FOLDER WEIGHTS KILLS [SEED]

prints what it found as JSON. See `video_kills`, which does the same for videos.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path

import film_frames
from killed import forked

from gpen_fast.run.runtime import load_runtime
from gpen_fast.run.video import picture_writer
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.run import run_videos
from gpen_fast.settings import Settings, VideoOptions

FRAMES = 60


def restore(folder: Path, out: Path, weights: str) -> None:
    """One run to its end, in this process."""
    picture_writer.NOTED_S = 0.2
    settings = Settings.from_flat(
        weights=weights, detector="lite", precision="fp32", keep_detail=0.0, deterministic=True
    )
    options = VideoOptions(frames=True)
    progress = film_frames.StopsAfter(0)
    plan = plan_videos([str(folder)], out, options)
    if plan.todo:
        run_videos([load_runtime(settings)], plan, options, progress)


def tried(folder: Path, weights: str, kills: int, seed: int = 0) -> dict[str, object]:
    """Kills that many runs, and says whether the pictures are those of an undisturbed run, and none was ever half."""
    source = film_frames.write_frames(folder / "in", FRAMES, 96)
    alive, _ = forked(lambda: restore(source, folder / "whole", weights), None)
    whole = film_frames.contents(folder / "whole")
    rng, out, landed, same, partly = random.Random(seed), folder / "out", 0, len(whole) == FRAMES, 0
    while landed < kills:
        _, killed = forked(lambda: restore(source, out, weights), rng.uniform(0.1, 0.9) * alive)
        landed += killed
        there = film_frames.contents(out) if out.exists() else {}
        named = {name: data for name, data in there.items() if not name.startswith(".")}
        same &= all(whole[name] == data for name, data in named.items())
        partly += 0 < len(named) < FRAMES
        if not killed:
            shutil.rmtree(out)
    forked(lambda: restore(source, out, weights), None)
    left = sorted(each.name for each in out.iterdir() if each.name not in whole)
    return {
        "kills": landed,
        "undisturbed_s": round(alive, 2),
        "partly": partly,
        "same": same and film_frames.contents(out) == whole,
        "left": left,
    }


if __name__ == "__main__":
    found = tried(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if sys.argv[4:] else 0)
    sys.stdout.write(json.dumps(found) + "\n")
