"""Segments as bytes and back."""

from __future__ import annotations

import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.segment import EncodedPacket, EncodedSegment, FrameTime

SEGMENT = EncodedSegment(
    40,
    (FrameTime(0, 10), FrameTime(10, 10), FrameTime(35, 0)),
    (EncodedPacket(b"key", 0, True), EncodedPacket(b"", 2, False), EncodedPacket(b"abc" * 9, 1, False)),
    {"faces": 3},
)


def test_a_segment_is_read_back_as_it_was() -> None:
    assert EncodedSegment.from_bytes(SEGMENT.to_bytes()) == SEGMENT


def test_how_far_packets_come_before_their_frames_is_known() -> None:
    assert SEGMENT.reordered == 1
    assert EncodedSegment(0, (), ()).reordered == 0


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:50] + b"x" + data[51:]]
)
def test_a_damaged_segment_is_refused(damage) -> None:
    with pytest.raises(VideoError, match="no whole segment"):
        EncodedSegment.from_bytes(damage(SEGMENT.to_bytes()))
