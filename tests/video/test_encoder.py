"""Segments of encoded frames: every frame once, whatever the encoder's order."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from clips import clip_pixels

from gpen_fast.errors import VideoError
from gpen_fast.video.codecs import EncodingWish, choose_encoding
from gpen_fast.video.encoder import EncodedStream, SegmentEncoder
from gpen_fast.video.facts import ColourTags, StreamFacts
from gpen_fast.video.planes import planar
from gpen_fast.video.segment import FrameTime


def stream_of(
    codec: str, layout: str = "yuv420p", rate: Fraction = Fraction(25), **wish: object
) -> EncodedStream:
    facts = StreamFacts(
        0, codec, "", layout, 160, 90, Fraction(1, 1000), rate, None, ColourTags(1, 1, 1, 1), None, 0
    )
    encoding = choose_encoding(EncodingWish(**wish), codec, layout, "", (160, 90), "matroska")  # type: ignore[arg-type]
    return EncodedStream(encoding, facts, global_header=True)


def frames(count: int) -> list[av.VideoFrame]:
    pixels = clip_pixels("pan", count, 90)
    return [
        planar(av.VideoFrame.from_ndarray(each, format="rgb24").reformat(format="yuv420p")) for each in pixels
    ]


@pytest.mark.parametrize(
    ("codec", "reorders"), [("hevc", True), ("mpeg4", False), ("mpeg2video", False), ("ffv1", False)]
)
def test_each_frame_becomes_one_packet_and_the_first_is_a_key(codec: str, reorders: bool) -> None:
    encoder = SegmentEncoder(stream_of(codec), 7)
    for at, frame in enumerate(frames(12)):
        encoder.encode(frame, FrameTime(at * at + 5, 9))
    assert (encoder.frames, encoder.first_pts) == (12, 5)
    segment = encoder.finish({"faces": 4})
    assert segment.first == 7
    assert [time.pts for time in segment.times] == [at * at + 5 for at in range(12)]
    assert sorted(packet.shown for packet in segment.packets) == list(range(12))
    assert segment.packets[0].is_key
    assert (segment.reordered > 0) == reorders
    assert segment.counts == {"faces": 4}
    assert encoder.size == sum(len(packet.data) for packet in segment.packets) > 0


def test_rates_that_a_codec_cannot_say_are_replaced_by_the_nearest() -> None:
    assert stream_of("mpeg2video", rate=Fraction(24)).rate == 24
    assert stream_of("mpeg2video", rate=Fraction(27)).rate == 25
    assert stream_of("h264", rate=Fraction(30000, 1001)).rate == Fraction(30000, 1001)


def test_an_encoder_that_refuses_its_options_says_which() -> None:
    with pytest.raises(
        VideoError, match=r"libx264 refuses 160x90 yuv420p with the options .*preset=warp.* Check --crf"
    ):
        SegmentEncoder(stream_of("h264", preset="warp"), 0)
