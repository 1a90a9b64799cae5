"""Kills runs of `video` at random moments, lets the last one end, and compares it with an undisturbed run.

    python tests/support/video_kills.py FOLDER WEIGHTS KILLS [SEED]

prints what it found as JSON. The runs are forked from this process before any thread starts, so that each takes a
second instead of the time that PyTorch takes to load.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import clips
import videos
from killed import forked

from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run.runtime import load_runtime
from gpen_fast.run.video import segments
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.run import run_videos
from gpen_fast.settings import Settings, VideoOptions

FRAMES = 60


class _Told:
    def begin(self, name: Path, frames: int, done: int) -> None:
        """Shows nothing."""

    def frame(self) -> None: ...

    def end(self, row: PictureRow) -> None: ...


def restore(path: Path, target: Path, weights: str) -> None:
    """One run to its end, in this process."""
    segments.SEGMENT_S = 0.3
    settings = Settings.from_flat(weights=weights, detector="lite", precision="fp32", keep_detail=0.0)
    options = VideoOptions(preset="ultrafast")
    run_videos([load_runtime(settings)], plan_videos([str(path)], target, options), options, _Told())


def tried(folder: Path, weights: str, kills: int, seed: int = 0) -> dict[str, object]:
    """Kills that many runs, and says whether frames, times and sound are those of an undisturbed run."""
    folder.mkdir(parents=True, exist_ok=True)
    made = videos.Made(options={"preset": "ultrafast", "bf": "2"}, audio=("aac",), times=_uneven())
    path = videos.write_video(folder / "in.mp4", clips.clip_pixels("pan", FRAMES, 96, noise=2.0), made)
    whole = folder / "whole.mp4"
    alive, _ = forked(lambda: restore(path, whole, weights), None)
    rng, target, landed = random.Random(seed), folder / "out.mp4", 0
    same = True
    while landed < kills:
        # A new output for every fifth kill: later runs have little left to do.
        if landed % 5 == 0 and landed:
            same &= _ended(path, target, whole, weights)
        if not target.exists():
            forked(lambda: restore(path, target, weights), rng.uniform(0.0, alive))
            landed += not target.exists()
        else:
            same &= _ended(path, target, whole, weights)
    same &= _ended(path, target, whole, weights)
    return {"kills": landed, "undisturbed_s": round(alive, 2), "same": bool(same), "left": _left(folder)}


def _ended(path: Path, target: Path, whole: Path, weights: str) -> bool:
    """Lets a run end, compares its output with the undisturbed one, and removes it."""
    if not target.exists():
        forked(lambda: restore(path, target, weights), None)
    one, other, source = (videos.read_back(each) for each in (whole, target, path))
    target.unlink()
    return one.times == other.times == source.times and one.packets == other.packets == source.packets


def _left(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.name not in ("in.mp4", "whole.mp4"))


def _uneven() -> tuple[int, ...]:
    return tuple(at + at // 7 for at in range(FRAMES))


if __name__ == "__main__":
    found = tried(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if sys.argv[4:] else 0)
    sys.stdout.write(json.dumps(found) + "\n")
