"""The thread that reads what others send: a recording on a server, and a caller that is slow."""

from __future__ import annotations

import time
from pathlib import Path

import av
import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.live.feed import FedSource, Feed


def feed(clip: Path, *, paced: bool) -> FedSource:
    return FedSource(Feed("there", lambda: av.open(str(clip)), "the sender", 5.0, paced))


def test_a_recording_on_a_server_plays_at_its_own_speed_and_ends_without_a_loss(clip: Path) -> None:
    begun = time.perf_counter()
    source = feed(clip, paced=True)
    assert len(list(source)) == 20
    assert time.perf_counter() - begun >= 19 * 0.04
    assert source.lost == ""


def test_a_slow_caller_gets_the_newest_frames(clip: Path) -> None:
    source = feed(clip, paced=False)
    time.sleep(0.5)
    assert [each.decoded.index for each in source] == list(range(12, 20))
    assert source.lost.startswith("the sender ended the stream after 0.8 s")


def test_what_cannot_be_opened_is_raised_with_its_name() -> None:
    def absent() -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(VideoError, match=r"there: input/output error\."):
        FedSource(Feed("there", absent, "the sender", 5.0))  # type: ignore[arg-type]
