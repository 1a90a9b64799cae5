"""What is counted in frames."""

from __future__ import annotations

import av

from gpen_fast.run.video.counts import FrameCounts, summed
from gpen_fast.run.video.frames import DoneFrame
from gpen_fast.video.segment import FrameTime


def done(**given: object) -> DoneFrame:
    return DoneFrame(0, av.VideoFrame(16, 16), FrameTime(0, 1), **given)  # type: ignore[arg-type]


def test_counts_of_segments_add_up() -> None:
    counts = FrameCounts()
    for frame in (
        done(faces=2, kept=1),
        done(),
        done(left_out=1),
        done(error=ValueError("first")),
        done(error=OSError()),
    ):
        counts.add(frame)
    first = counts.taken()
    counts.add(done(faces=1))
    assert summed([first, counts.taken()]) == {
        "frames": 6, "faces": 3, "kept": 1, "left_out": 1, "no_face": 2, "failed": 2,
    }  # fmt: skip
    assert counts.first_error == "ValueError: first"
    assert counts.taken() == {}
