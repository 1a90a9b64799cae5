"""Frames become segments of some seconds, each kept as soon as it is whole."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.video import segments
from gpen_fast.run.video.frames import DoneFrame
from gpen_fast.run.video.segments import SegmentWriter
from gpen_fast.run.video.store import SegmentStore
from gpen_fast.settings import VIDEO_STAGES
from gpen_fast.video.codecs import Encoding
from gpen_fast.video.encoder import EncodedStream
from gpen_fast.video.facts import ColourTags, StreamFacts
from gpen_fast.video.segment import FrameTime

FACTS = StreamFacts(
    0, "ffv1", "", "yuv420p", 32, 32, Fraction(1, 10), Fraction(10), None, ColourTags(1, 1, 1, 1), None, 0
)
STREAM = EncodedStream(Encoding("ffv1", "ffv1", "yuv420p", {}), FACTS, global_header=True)


def taken(store: SegmentStore, numbers: range) -> SegmentWriter:
    writer = SegmentWriter(STREAM, store, Clock(Recorder(stages=VIDEO_STAGES)))
    for number in numbers:
        writer.take(DoneFrame(number, av.VideoFrame(32, 32), FrameTime(3 * number, 3), faces=1))
    return writer


def test_a_segment_ends_after_its_seconds_or_its_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SegmentStore(tmp_path / "o.mkv")
    with store.opened({}):
        writer = taken(store, range(30))  # 0.3 s each, 4 s a segment
        assert [each.frames for each in store.segments] == [14, 14]
        writer.finish()
        assert [each.first for each in store.segments] == [0, 14, 28]
        monkeypatch.setattr(segments, "_MOST_FRAMES", 5)
        taken(store, range(30, 36)).finish()
        assert [each.frames for each in store.segments] == [14, 14, 2, 5, 1]
        assert sum(each.counts["faces"] for each in store.segments) == 36


def test_a_frame_out_of_its_place_is_never_written(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path / "o.mkv")
    with store.opened({}), pytest.raises(AssertionError, match="frame 3 comes where 2 is due"):
        taken(store, range(2)).take(DoneFrame(3, av.VideoFrame(32, 32), FrameTime(9, 3)))
