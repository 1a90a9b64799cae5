"""Each format is written and read, and a missing codec is named."""

from __future__ import annotations

import pytest

from gpen_fast.doctor import codecs, findings


def test_codec_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(picture: object, kind: str) -> object:
        if kind in {"AVIF", "PNG"}:
            raise OSError("encoder not available")
        return picture

    monkeypatch.setattr(codecs, "_pillow", refuse)
    pillow = next(one for one in codecs.probe("cpu") if one.name == "Pillow")
    assert pillow.state == "broken", "without PNG nothing can be saved"
    assert pillow.text == "reads and writes JPEG, WEBP, TIFF, BMP, JPEG2000; not PNG, AVIF"
    assert not findings.works([pillow])


def test_every_library_of_an_installation_reads_and_writes() -> None:
    found = {finding.name: finding for finding in codecs.probe("cpu")}
    assert list(found) == ["Pillow", "OpenCV", "torchvision", "nvJPEG", "HEIC"]
    for name in ("Pillow", "OpenCV"):
        assert found[name].state == "ok"
        assert found[name].text.startswith("reads and writes JPEG, PNG")
    assert (found["nvJPEG"].state, found["nvJPEG"].text) == ("absent", "needs CUDA")


def test_a_picture_that_comes_back_in_another_size_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "_opencv", lambda picture, suffix: picture[:8])
    opencv = next(one for one in codecs.probe("cpu") if one.name == "OpenCV")
    assert (opencv.state, opencv.needed) == ("broken", False)
    assert opencv.text.startswith("reads and writes nothing; not JPEG")
