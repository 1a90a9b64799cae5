"""Sources and sinks of live runs, in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np

from gpen_fast.run.live.tally import LiveTally
from gpen_fast.video.facts import ColourTags, StreamFacts
from gpen_fast.video.live.source import Arrival
from gpen_fast.video.planes import planar
from gpen_fast.video.reader import DecodedFrame


def stream_facts(width: int, height: int, rate: int = 25) -> StreamFacts:
    """Of a stream of RGB."""
    return StreamFacts(
        0, "rawvideo", "", "gbrp", width, height, Fraction(1, rate), Fraction(rate), None,
        ColourTags(2, 0, 2, 2), None, 0,
    )  # fmt: skip


@dataclass
class ListSource:
    """Frames from a list, each after `gap` seconds."""

    frames: Sequence[np.ndarray]
    rate: int = 25
    gap: float = 0.0
    lost: str = ""
    closed: bool = False
    before: Callable[[int], None] = lambda number: None

    def __post_init__(self) -> None:
        height, width = self.frames[0].shape[:2]
        self.facts = stream_facts(width, height, self.rate)

    def __iter__(self) -> Iterator[Arrival]:
        for number, pixels in enumerate(self.frames):
            time.sleep(self.gap)
            if self.closed:
                return
            self.before(number)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            yield Arrival(DecodedFrame(number, number, 1, planar(frame), 0), time.perf_counter())

    def close(self) -> None:
        self.closed = True


@dataclass
class ListSink:
    """Keeps what it is given."""

    frames: list[np.ndarray] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    ended: bool = False
    closed: int = 0
    each: Callable[[int], None] = lambda number: None

    def put(self, frame: av.VideoFrame, seconds: float) -> None:
        self.frames.append(frame.to_ndarray(format="rgb24"))
        self.seconds.append(seconds)
        self.each(len(self.frames))

    def close(self) -> None:
        self.closed += 1


class Told:
    """Keeps how often it was told."""

    def __init__(self) -> None:
        self.frames = 0
        self.tally: LiveTally | None = None

    def frame(self, tally: LiveTally) -> None:
        self.frames += 1
        self.tally = tally
