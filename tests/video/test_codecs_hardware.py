"""Encoders of hardware: how they are told, and what is said where they are missing. None was measured."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from clips import clip_pixels
from videos import Made, write_video

from gpen_fast.errors import VideoError
from gpen_fast.video import codecs
from gpen_fast.video.codecs import EncodingWish, choose_encoding
from gpen_fast.video.encoder import EncodedStream, SegmentEncoder
from gpen_fast.video.probe import probe_video


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every encoder is there, and takes what libx264 takes."""
    real = av.Codec

    class Codec:
        def __new__(cls, name: str, mode: str) -> object:
            return real("libx264" if name in codecs.HARDWARE else name, mode)

    monkeypatch.setattr(codecs.av, "Codec", Codec)
    monkeypatch.setattr(codecs, "_check_container", lambda *given: None)


def chosen(**wish: object):
    return choose_encoding(EncodingWish(**wish), "h264", "yuv420p", "", (64, 48), "mp4")  # type: ignore[arg-type]


def test_quality_and_preset_become_the_encoders_own_options(present: None) -> None:
    made = chosen(codec="hevc_nvenc", crf=25.0, preset="p5")
    assert (made.codec, made.encoder) == ("hevc", "hevc_nvenc")
    assert made.options == {"rc": "vbr", "b": "0", "cq": "25", "preset": "p5"}
    assert chosen(codec="h264_qsv").options == {"global_quality": "19"}
    assert (
        chosen(codec="h264_videotoolbox", crf=20.0).quantiser,
        chosen(codec="h264_videotoolbox").options,
    ) == (60, {})
    with pytest.raises(VideoError, match="--preset fast: h264 has none"):
        chosen(codec="h264_videotoolbox", preset="fast")


def test_a_build_without_the_encoder_says_so() -> None:
    missing = [name for name in codecs.HARDWARE if name not in av.codecs_available]
    if not missing:
        pytest.skip("this build of FFmpeg has all of them")
    with pytest.raises(VideoError, match=f"this build of FFmpeg lacks its encoder {missing[0]}"):
        chosen(codec=missing[0])


def test_a_machine_without_the_device_says_so(tmp_path: Path) -> None:
    facts = probe_video(write_video(tmp_path / "c.mp4", clip_pixels("pan", 1, 96), Made()))
    if "h264_amf" not in av.codecs_available:
        pytest.skip("this build of FFmpeg lacks h264_amf")
    stream = EncodedStream(chosen(codec="h264_amf"), facts.stream, True)
    with pytest.raises(VideoError) as refused:
        SegmentEncoder(stream, 0)
    assert str(refused.value).startswith(
        "h264_amf cannot encode here: its device or driver is missing, or refuses"
    )
    assert str(refused.value).endswith("Choose --codec h264, which needs none.")
