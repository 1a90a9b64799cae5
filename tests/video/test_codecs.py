"""Which encoder is chosen, and what is refused."""

from __future__ import annotations

import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.codecs import ENCODERS, EncodingWish, choose_encoding, codec_names


def chosen(given: str, layout: str, container: str, size: tuple[int, int] = (64, 64), /, **wish: object):
    return choose_encoding(EncodingWish(**wish), given, layout, "", size, container)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codec", "layout", "container", "encoder", "made"),
    [
        ("h264", "yuv420p", "mp4", "libx264", "yuv420p"),
        ("h264", "yuv420p10le", "matroska", "libx264", "yuv420p10le"),
        ("h264", "nv12", "mp4", "libx264", "yuv420p"),
        ("hevc", "yuv420p10le", "mp4", "libx265", "yuv420p10le"),
        ("mpeg1video", "yuv420p", "mp4", "libx264", "yuv420p"),
        ("wmv3", "yuv420p", "matroska", "libx264", "yuv420p"),
        ("vp9", "yuv420p", "webm", "libvpx-vp9", "yuv420p"),
        # Its VP9 encoder takes 8 bits only, and WebM holds no H.264.
        ("vp9", "yuv420p10le", "webm", "libsvtav1", "yuv420p10le"),
        ("rawvideo", "rgb24", "avi", "ffv1", "bgr0"),
        ("prores", "yuv422p10le", "mov", "prores_ks", "yuv422p10le"),
    ],
)
def test_the_inputs_codec_is_kept_where_it_can_be_encoded(
    codec: str, layout: str, container: str, encoder: str, made: str
) -> None:
    encoding = chosen(codec, layout, container)
    assert (encoding.encoder, encoding.pixel_format) == (encoder, made)


def test_defaults_and_wishes_become_the_encoders_options() -> None:
    assert chosen("h264", "yuv420p", "mp4").options == {"crf": "16"}
    assert chosen("h264", "yuv420p", "mp4", crf=23, preset="fast").options == {"crf": "23", "preset": "fast"}
    assert chosen("h264", "yuv420p", "avi").options["bf"] == "0"
    assert chosen("mjpeg", "yuvj420p", "avi", crf=5).quantiser == 5
    assert chosen("h264", "yuv420p", "mp4", pixel_format="yuv444p").pixel_format == "yuv444p"
    assert chosen("h264", "yuv420p", "mp4", codec="libx265").codec == "hevc"


@pytest.mark.parametrize(
    ("given", "wish", "words"),
    [
        (
            ("h264", "yuv420p", "mp4", (63, 64)),
            {},
            "refuses 63x64 in yuv420p: .* multiples of 2 and 2. Try --codec ffv1",
        ),
        (
            ("h264", "yuv420p", "mp4"),
            {"codec": "h265x"},
            "codec h265x: it is not encoded here. Accepted are h264",
        ),
        (
            ("h264", "yuv420p", "webm"),
            {"codec": "h264"},
            "webm cannot hold h264: name OUT with another suffix",
        ),
        (
            ("h264", "yuv420p", "mp4"),
            {"pixel_format": "rgb24"},
            "libx264 does not take it. Accepted are yuv420p",
        ),
        (("h264", "yuv420p", "matroska"), {"codec": "ffv1", "crf": 3}, "ffv1 has no such quality"),
        (
            ("h264", "yuv420p", "matroska"),
            {"codec": "ffv1", "preset": "fast"},
            "--preset fast: ffv1 has none",
        ),
        (("h264", "yuv420p", "nothing"), {}, "container nothing: this build of FFmpeg does not write it"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(
    given: tuple, wish: dict[str, object], words: str
) -> None:
    with pytest.raises(VideoError, match=words):
        chosen(*given, **wish)


def test_every_codec_that_is_offered_has_an_encoder() -> None:
    assert list(codec_names()) == list(ENCODERS)
    assert chosen("png", "rgb24", "mov", codec="png").encoder == "png"
