"""Encoded frames: each packet is there when its frame was put, and the picture's rotation is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import clip_pixels
from videos import Made, write_video

from gpen_fast.video.live.encoded import EncodedSink, EncodedTarget
from gpen_fast.video.live.file_source import FileSource
from gpen_fast.video.reader import VideoReader


@pytest.mark.parametrize("rotation", [0, 90])
def test_rotation_is_kept_and_no_frame_is_held_back(tmp_path: Path, rotation: int) -> None:
    clip = write_video(tmp_path / "in.mp4", clip_pixels("pan", 10, 90), Made(rotation=rotation))
    source, out = FileSource(clip, paced=False), tmp_path / "out.ts"
    if rotation:
        out = out.with_suffix(".mp4")
    container = "mp4" if rotation else "mpegts"
    sink = EncodedSink(
        EncodedTarget(str(out), str(out), container, {"flush_packets": "1"}, 2.0, is_stream=False),
        source.facts,
    )
    sizes = []
    for arrival in source:
        sink.put(arrival.decoded.frame, arrival.decoded.index / 25)
        sizes.append(out.stat().st_size)
    sink.close()
    if not rotation:
        assert sizes == sorted(set(sizes)) and sizes[0] > 0
    with VideoReader(out) as reader:
        assert [each.rotation for each in reader.frames()] == [rotation] * 10
