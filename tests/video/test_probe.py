"""What the first frame carries."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import clip_pixels
from video_formats import FORMATS, make
from videos import Made, write_video

from gpen_fast.errors import VideoError
from gpen_fast.video.probe import probe_video

HDR = next(case for case in FORMATS if "HDR" in case.name)


def test_hdr_metadata_and_rotation_are_read(tmp_path: Path) -> None:
    path = make(HDR, tmp_path, count=3)
    assert path is not None
    light = probe_video(path).light
    assert light is not None
    assert light.primaries == pytest.approx((0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329), abs=1e-4)
    assert light.luminance == pytest.approx((0.0001, 1000))
    assert light.content == (1000, 400)
    turned = write_video(tmp_path / "r.mp4", clip_pixels("pan", 3, 90), Made(rotation=90))
    assert probe_video(turned).display_matrix is not None
    plain = probe_video(write_video(tmp_path / "p.mp4", clip_pixels("pan", 3, 90)))
    assert (plain.display_matrix, plain.light, plain.dynamic) == (None, None, "")


def test_a_file_without_frames_is_refused(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "a.mkv", clip_pixels("pan", 8, 90), Made(options={"g": "8", "preset": "ultrafast"})
    )
    content = path.read_bytes()
    # The header, and nothing of the first cluster.
    path.write_bytes(content[: content.index(b"\x1f\x43\xb6\x75") + 8])
    with pytest.raises(VideoError, match=r"no frame could be read|holds no picture"):
        probe_video(path)
