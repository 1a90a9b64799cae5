"""Times of frames whose sender's clock goes wrong."""

from __future__ import annotations

from fractions import Fraction

import av
from live_ends import stream_facts

from gpen_fast.video.live.clock import SteadyTimes


def times(stamps: list[int | None]) -> list[int]:
    steady = SteadyTimes(stream_facts(16, 16))
    given = []
    for stamp in stamps:
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts, frame.time_base = stamp, Fraction(1, 25)
        given.append(steady.next(frame))
    return given


def test_times_that_increase_are_kept() -> None:
    assert times([7, 8, 11, 12]) == [7, 8, 11, 12]


def test_a_clock_that_goes_back_or_leaps_goes_on_from_there() -> None:
    assert times([100, 101, 3, 4, 6]) == [100, 101, 102, 103, 105]
    assert times([0, 1, 90000, 90001]) == [0, 1, 2, 3]
    assert times([0, None, 2]) == [0, 1, 2]


def test_the_seconds_that_were_read() -> None:
    steady = SteadyTimes(stream_facts(16, 16))
    assert steady.seconds == 0
    for stamp in (50, 51, 52):
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts, frame.time_base = stamp, Fraction(1, 25)
        steady.next(frame)
    assert steady.seconds == 3 / 25
