"""The speed of `video` at 1080p: frames a second, processor time of each part of the work, and how busy the cores are.

    python benchmarks/video_speed.py [--frames 300] [--height 1080] [--preset veryfast] [--commit]

The clip has one face of 250 pixels that moves before a quiet ground, with blur and noise, as H.264. The network is the
embedded gpen-lite-256. Video is written as H.264 by x264. The processor time of a part is that of its own thread;
the network's, the decoder's and the encoder's threads are the rest of the process.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

import torch
from clips import HOPPER, Actor, Clip, damaged, placed
from stages import add_commit, results_folder
from temporal import Silent
from videos import Made, write_video

from gpen_fast.measure.environment import commit
from gpen_fast.measure.export.json import write_json
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.run import run_videos
from gpen_fast.run.video.segments import SegmentWriter
from gpen_fast.settings import Settings, VideoOptions
from gpen_fast.video.score import FaceMeter
from gpen_fast.video.track import Tracker

# Frames that are rendered; the clip goes through them there and back.
RENDERED = 50
# The distance of the eyes of a face whose box is 250 pixels high, of a frame of 1080 lines.
EYES = 0.088
# Parts of the work, and the functions that do them: of a class, or by the name by which the video line's modules call
# them. No part calls another.
PARTS: dict[str, tuple[tuple[object, str] | tuple[str], ...]] = {
    "take": ((FramePipeline, "take"),),
    "track": ((Tracker, "look"), (Tracker, "settle")),
    "detect": ((FramePipeline, "detect"),),
    "crop": ((FramePipeline, "crop"),),
    "network's calls": ((FramePipeline, "launch"), (FramePipeline, "settle")),
    "need and averages": (("measured_need",), ("steadied",)),
    "paste": ((FramePipeline, "paste"),),
    "scores": ((FaceMeter, "frame"),),
    "samples": ((FramePipeline, "finish"),),
    "encoder's calls": ((SegmentWriter, "take"),),
}


class PartTimes:
    """The processor time of each part, in the threads that call it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def watch(self) -> None:
        """Times the parts from now on."""
        for name, functions in PARTS.items():
            for *owners, function in functions:
                for owner in owners or _modules_with(function):
                    setattr(owner, function, self._timed(name, getattr(owner, function)))

    def _timed(self, name: str, function: Callable[..., object]) -> Callable[..., object]:
        def timed(*given: object, **options: object) -> object:
            start = time.thread_time()
            try:
                return function(*given, **options)
            finally:
                self.seconds[name] += time.thread_time() - start

        return timed


def _modules_with(function: str) -> list[object]:
    """The modules of the video line that call a function by this name."""
    line = [module for name, module in sys.modules.items() if name.startswith("gpen_fast.run.video.")]
    return [module for module in line if hasattr(module, function)]


def write_moving_face(path: Path, frames: int, height: int) -> Path:
    """The clip."""

    def place(at: float) -> tuple[object, float]:
        x, y = 0.9 + 0.3 * math.sin(4 * at), 0.42 + 0.03 * math.sin(9 * at)
        return placed(HOPPER, x, y, EYES, 6 * math.sin(7 * at)), 1.0

    clip = Clip((Actor(HOPPER, place),))  # type: ignore[arg-type]
    rendered = [
        damaged(each.pixels, at, blur=2.5 * height / 1080, noise=3.0)
        for at, each in enumerate(clip.frames(min(frames, RENDERED), height))
    ]
    there_and_back = [*rendered, *rendered[::-1]]
    shown = [there_and_back[at % len(there_and_back)] for at in range(frames)]
    return write_video(path, shown, Made(options={"crf": "27", "preset": "veryfast"}))


def processor_seconds() -> float:
    """Of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(runtime: Runtime, source: Path, options: VideoOptions, parts: PartTimes) -> dict[str, object]:
    """One run of `video`, after the first frames have warmed everything up."""
    cores = torch.get_num_threads()
    for warm in (True, False):
        chosen = VideoOptions(preset=options.preset, end="0.4" if warm else None, overwrite=True)
        parts.seconds.clear()
        start, used = time.perf_counter(), processor_seconds()
        report = run_videos(
            [runtime], plan_videos([str(source)], source.with_suffix(".out.mp4"), chosen), chosen, Silent()
        )
        wall, used = time.perf_counter() - start, processor_seconds() - used
    assert report.video is not None, "a run of videos has figures of them"
    frames = report.video.frames_out
    own = {name: 1000 * seconds / frames for name, seconds in parts.seconds.items()}
    return {
        "frames": frames,
        "faces": report.faces,
        "cores": cores,
        "frames_a_second": frames / wall,
        "wall_ms_a_frame": 1000 * wall / frames,
        "processor_ms_a_frame": 1000 * used / frames,
        "wall_over_processor_time_over_cores": wall / (used / cores),
        "parts_ms_a_frame": own
        | {"threads of network, decoder and encoder": 1000 * used / frames - sum(own.values())},
    }


def main() -> None:
    """Prints the figures, and writes them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--clip", type=Path, help="a clip that an earlier run kept with --keep")
    parser.add_argument("--keep", type=Path, help="where the clip is kept")
    add_commit(parser)
    given = parser.parse_args()
    settings = Settings.from_flat(model="gpen-lite-256", detector="lite", device="cpu")
    parts = PartTimes()
    parts.watch()
    with tempfile.TemporaryDirectory() as folder:
        source = given.clip or write_moving_face(
            given.keep or Path(folder) / "clip.mp4", given.frames, given.height
        )
        options = VideoOptions(preset=given.preset)
        figures = measured(load_runtime(settings), source, options, parts)
        source.with_suffix(".out.mp4").unlink(missing_ok=True)
    document = {
        "schema": 1,
        "suite": "video-speed",
        "commit": commit(),
        "height": given.height,
        "preset": given.preset,
    } | figures
    print(json.dumps(document, indent=1))
    write_json(document, results_folder(given.commit) / "video-speed.json")


if __name__ == "__main__":
    main()
