"""Kills runs of `video`, and measures the memory of a long one.

Method of `kills`: a run over a clip with B-frames, a variable rate and sound is killed (SIGKILL) at a random moment and
started again; in the end frames, time stamps and the packets of sound must be those of an undisturbed run. Method of
`memory`: the largest resident memory of a process that restores 500 small frames, and of one that restores 20,000.

Usage: python benchmarks/video_soak.py kills [--kills 30] [--seed 0]
       python benchmarks/video_soak.py memory [--frames 20000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.torch import save_file

SUPPORT = Path(__file__).parents[1] / "tests/support"
sys.path.insert(0, str(SUPPORT))

from clips import clip_pixels  # noqa: E402
from videos import Made, write_video  # noqa: E402

from gpen_fast.gpen.checkpoint import random_state  # noqa: E402
from gpen_fast.gpen.config import config_from_arguments  # noqa: E402

NETWORK = config_from_arguments(64, style_dim=64, channel_multiplier=1, narrow=0.125)
FEW = 500


def main() -> int:
    """Runs what was asked for, and prints it."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = folder / "weights.safetensors"
        save_file(random_state(NETWORK), weights)
        if options.what == "kills":
            return _kills(folder / "kills", weights, options.kills, options.seed)
        return _memory(folder, weights, options.frames)


def _kills(folder: Path, weights: Path, kills: int, seed: int) -> int:
    script = [
        sys.executable,
        str(SUPPORT / "video_kills.py"),
        str(folder),
        str(weights),
        str(kills),
        str(seed),
    ]
    ended = subprocess.run(script, capture_output=True, text=True, check=True)
    found = json.loads(ended.stdout.splitlines()[-1])
    print(
        f"{found['kills']} kills: frames, times and sound {'as undisturbed' if found['same'] else 'DIFFER'}"
    )
    return 0 if found["same"] and not found["left"] else 1


def _memory(folder: Path, weights: Path, frames: int) -> int:
    clip, peaks = clip_pixels("pan", 50, 96), []
    for count in (FEW, frames):
        path = write_video(
            folder / f"{count}.mkv",
            _Repeated(clip, count),
            Made(options={"preset": "ultrafast"}),  # type: ignore[arg-type]
        )
        report = folder / f"{count}.json"
        command = [sys.executable, "-m", "gpen_fast", "video", str(path), str(folder / f"out-{count}.mkv"), "--quiet",
                   "--weights", str(weights), "--detector", "lite", "--keep-detail", "0", "--preset", "ultrafast",
                   "--json", str(report)]  # fmt: skip
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        made = json.loads(report.read_text())
        peaks.append(made["memory"]["host_peak_bytes"])
        print(
            f"{made['video']['frames_out']} frames: {peaks[-1] / 2**20:.0f} MiB, {made['video']['fps']:.1f} a second"
        )
    print(f"memory of {frames} frames over that of {FEW}: {peaks[1] / peaks[0]:.3f}")
    return 0


class _Repeated:
    """A long clip without its pixels in memory."""

    def __init__(self, clip: list[object], count: int) -> None:
        self._clip, self._count = clip, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: int) -> object:
        if at >= self._count:
            raise IndexError(at)
        return self._clip[at % len(self._clip)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["kills", "memory"])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--frames", type=int, default=20_000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
