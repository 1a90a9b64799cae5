"""How live frames are encoded: with no delay, and with what is left of the processor."""

from __future__ import annotations

from dataclasses import replace

from gpen_fast.errors import VideoError
from gpen_fast.video.codecs import Encoding, EncodingWish, choose_encoding
from gpen_fast.video.facts import StreamFacts

# Codec -> what the wish names, and options that give each frame's packet at once.
_WISHES = {
    "h264": EncodingWish("h264", 18, "veryfast"),
    "vp9": EncodingWish("vp9", 24, "8"),
}
_AT_ONCE = {
    "h264": {"tune": "zerolatency"},
    "vp9": {"deadline": "realtime", "lag-in-frames": "0"},
}
# Layouts that take the place of one that the encoder does not have; the second one where a side is odd.
_FALLBACKS = ("yuv420p", "yuv444p")
# What every receiver of a stream decodes.
_OF_STREAMS = frozenset({"yuv420p", "yuvj420p"})


def live_encoding(facts: StreamFacts, container: str, *, for_stream: bool) -> Encoding:
    """The encoder for live frames.

    Args:
        facts: The stream that they are of.
        container: FFmpeg's name of the format.
        for_stream: 8 bits, 4:2:0; else the input's own layout where the encoder has it.

    Raises:
        VideoError: None fits.
    """
    codec = "vp9" if container == "webm" else "h264"
    own = () if for_stream and facts.pixel_format not in _OF_STREAMS else (None,)
    failure: VideoError | None = None
    for layout in (*own, *_FALLBACKS):
        wish = replace(_WISHES[codec], pixel_format=layout)
        try:
            found = choose_encoding(
                wish, codec, facts.pixel_format, facts.profile, (facts.width, facts.height), container
            )
        except VideoError as error:
            failure = failure or error
            continue
        return replace(found, options={**found.options, **_AT_ONCE[codec]})
    assert failure is not None, "a layout was tried"
    raise failure
