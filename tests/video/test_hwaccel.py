"""Decoding on a device: what falls back to software, and why. No test machine has such a device."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from clips import clip_pixels
from videos import Made, write_video

from gpen_fast.video import hwaccel
from gpen_fast.video.hwaccel import opened_with
from gpen_fast.video.reader import VideoReader


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("hw") / "c.mp4", clip_pixels("pan", 3, 96), Made())


@pytest.mark.parametrize(
    ("name", "available", "words"),
    [
        ("cuda", ["qsv"], "decoded in software: this build of FFmpeg has no cuda; it has qsv."),
        ("auto", [], "decoded in software: this build of FFmpeg has none of cuda, videotoolbox"),
    ],
)
def test_a_build_without_the_device_says_so(clip: Path, name: str, available: list[str], words: str) -> None:
    opened, why = opened_with(name, str(clip), lambda: available)
    assert opened is None
    assert why.startswith(words)


def test_none_asks_nothing(clip: Path) -> None:
    def never() -> list[str]:
        raise AssertionError("no device is asked for")

    assert opened_with("none", str(clip), never) == (None, "")


def test_a_device_that_fails_is_replaced_by_software(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*arguments: object, **options: object) -> object:
        assert "hwaccel" in options
        raise av.error.PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(hwaccel.av, "open", refuses)
        opened, why = opened_with("cuda", str(clip), lambda: ["cuda"])
    assert (opened, why) == (None, "decoded in software: no cuda device or driver is usable here.")
    with VideoReader(clip, hwaccel="vaapi") as reader:
        assert len(list(reader.frames())) == 3
        assert reader.software_note.startswith("decoded in software: ")


def test_a_device_that_decodes_is_used(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, closed = av.open, []

    class Context:
        is_hwaccel = True

    class Opened:
        streams = SimpleNamespace(video=[SimpleNamespace(codec_context=Context)])

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(hwaccel.av, "open", lambda *given, **options: Opened())
    opened, why = opened_with("auto", str(clip), lambda: ["vaapi", "drm"])
    assert (type(opened).__name__, why, closed) == ("Opened", "", [])
    Context.is_hwaccel = False
    assert opened_with("auto", str(clip), lambda: ["vaapi"]) == (
        None,
        "decoded in software: vaapi does not decode this codec here.",
    )
    assert closed == [True]
    assert real is not av.open
