"""Restores one small file of every container, codec and peculiarity, and compares input and output.

Method: PyAV writes each file of tests/support/video_formats.py; `video` restores it with a small network of random
weights; a reader of its own compares frames (number and time), the packets of sound and subtitles (number, time and
bytes), kinds of streams, rotation, sample aspect, colour tags, chapters and HDR metadata.

Usage: python benchmarks/video_formats.py [--frames 50]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/support"))

from video_formats import FORMATS, FormatCase, make
from videos import read_back

from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.run import run_videos
from gpen_fast.settings import Settings, VideoOptions

NETWORK = config_from_arguments(64, style_dim=64, channel_multiplier=1, narrow=0.125)


class Silent:
    """Shows nothing."""

    def begin(self, name: Path, frames: int, done: int) -> None:
        """A video begins."""

    def frame(self) -> None:
        """One more frame is done."""

    def end(self, row: PictureRow) -> None:
        """A video has ended."""


def main() -> int:
    """Prints the table. Exit status 1 where a file differs."""
    frames = _options().frames
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_file(random_state(NETWORK), folder / "weights.safetensors")
        settings = Settings.from_flat(
            weights=str(folder / "weights.safetensors"), detector="lite", precision="fp32", keep_detail=0.0
        )
        runtime = load_runtime(settings)
        print("| file | frames in, out | times | packets beside | result |\n| --- | --- | --- | --- | --- |")
        results = [_tried(case, folder, frames, runtime) for case in FORMATS]
    print(f"{sum(results)} of {len(results)} as they should be")
    return 0 if all(results) else 1


def _tried(case: FormatCase, folder: Path, frames: int, runtime: Runtime) -> bool:
    path = make(case, folder, count=frames, height=180)
    if path is None:
        print(f"| {case.name} | - | - | - | not made: this build of FFmpeg lacks its encoder |")
        return True
    target, options = folder / f"out{case.suffix}", VideoOptions(overwrite=True)
    report = run_videos([runtime], plan_videos([str(path)], target, options), options, Silent())
    if report.failed:
        print(f"| {case.name} | - | - | - | refused: {report.failed[0].error} |")
        return True
    before, after = read_back(path), read_back(target)
    others = sum(map(len, before.packets.values()))
    differ = [
        name
        for name, same in {
            "times": before.times == after.times,
            "packets": before.packets == after.packets,
            "kinds of streams": before.kinds == after.kinds,
            **{name: value == after.facts[name] for name, value in before.facts.items()},
        }.items()
        if not same
    ]
    result = f"differs: {', '.join(differ)}" if differ else f"equal; {report.faces} faces"
    times = "equal" if before.times == after.times else "differ"
    packets = "equal" if before.packets == after.packets else "differ"
    print(
        f"| {case.name} | {len(before.times)}, {len(after.times)} | {times} | {others} {packets} | {result} |",
        flush=True,
    )
    return not differ


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=50)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
