"""Whose face is whose: the tracks of `video` on ten clips at everyday speeds with crossings, cuts, exits and entries.

    python benchmarks/identities.py [--frames 75] [--height 270] [--scenes "walk behind"] [--commit]

The clips are those of tests/support/scenes.py, 25 frames a second, each as it is, with noise in each frame, and as
H.264 at a low rate; faces are found by the embedded detector `lite`. A swap is a track that was on two persons, a ghost
a face where none is seen. After a cut, the first frame of `video` is compared with that of `--temporal 0`: what is left
of the scene before would show there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from clips import ClipFrame, damaged
from faces_in_motion import frame_of
from scenes import SCENES, identities
from stages import add_commit, results_folder
from temporal import restored
from videos import Made, rgb_frames, write_video

from gpen_fast import __version__
from gpen_fast.image.similarity import Points
from gpen_fast.measure.environment import commit
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import DetectOptions, Settings, VideoOptions, WeightsOptions
from gpen_fast.stages.detect.lite import LandmarkReader, create
from gpen_fast.video.track import Tracker, TrackState

# Deviation of each frame's noise in grey levels, and the rate factor of H.264 after it.
DAMAGES = {"none": (0.0, None), "noise": (12.0, None), "h264": (4.0, "34")}
RATE = 25


def made(clean: list[ClipFrame], damage: str) -> list[np.ndarray]:
    """The frames with their damage."""
    noise, rate = DAMAGES[damage]
    frames = [damaged(each.pixels, at, noise=noise) for at, each in enumerate(clean)]
    if rate is None:
        return frames
    with tempfile.TemporaryDirectory() as folder:
        return rgb_frames(write_video(Path(folder) / "x.mp4", frames, Made(options={"crf": rate})))


def tracks(frames: list[np.ndarray]) -> tuple[list[list[tuple[int, Points]]], list[int]]:
    """The tracks' numbers and landmarks in each frame, and the frames that were taken for cuts."""
    detector = create(DetectOptions(), WeightsOptions(), torch.device("cpu"), "auto")
    tracker = Tracker(LandmarkReader(WeightsOptions()), detect_every=VideoOptions().detect_every)
    state, found, cuts = TrackState(), [], []
    for at, pixels in enumerate(frames):
        frame, seconds = frame_of(pixels), at / RATE
        look = tracker.look(state, frame, seconds)
        cuts += [at] if look.is_cut else []
        step = tracker.settle(state, look, frame, seconds, detector(frame) if look.wants_detection else None)
        state = step.state
        found.append([(each.number, each.face.landmarks) for each in step.faces])
    return found, cuts


def left_over(frames: list[np.ndarray], cuts: list[int]) -> int:
    """The most, grey levels, by which the frames after cuts differ from those restored alone."""
    runtime = load_runtime(Settings.from_flat(model="gpen-lite-256", detector="lite", device="cpu"))
    # Two frames before a cut and two from it on are enough to tell.
    parts = [frames[at - 2 : at + 2] for at in cuts]
    pairs = [
        (restored(runtime, each, VideoOptions().temporal)[0], restored(runtime, each, 0.0)[0])
        for each in parts
    ]
    return max(int(np.abs(ours[2].astype(int) - alone[2]).max()) for ours, alone in pairs)


def main() -> None:
    """Prints a row of JSON for each damaged clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=75)
    parser.add_argument("--height", type=int, default=270)
    parser.add_argument("--scenes", nargs="+", default=list(SCENES), choices=list(SCENES))
    add_commit(parser)
    given = parser.parse_args()
    rows = []
    for name in given.scenes:
        clean = list(SCENES[name].frames(given.frames, given.height))
        for damage in DAMAGES:
            frames = made(clean, damage)
            found, cuts = tracks(frames)
            row = {"scene": name, "damage": damage, "cuts": cuts, **asdict(identities(clean, found))}
            if cuts:
                row["left_over"] = left_over(frames, cuts)
            rows.append(row)
            print(json.dumps(row), flush=True)
    document = {
        "schema": 1, "suite": "identities", "version": __version__, "commit": commit(),
        "frames": given.frames, "height": given.height, "rows": rows,
    }  # fmt: skip
    path = results_folder(given.commit) / "identities.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"written: {path}")


if __name__ == "__main__":
    main()
