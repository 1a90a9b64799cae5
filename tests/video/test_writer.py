"""Joined files: every container of the table, as another reader sees it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from video_formats import FORMATS, FormatCase, make
from videos import read_back

from gpen_fast.run.video.plan import CONTAINERS
from gpen_fast.video.codecs import EncodingWish, choose_encoding
from gpen_fast.video.encoder import EncodedStream, SegmentEncoder
from gpen_fast.video.probe import probe_video
from gpen_fast.video.reader import VideoReader
from gpen_fast.video.segment import EncodedSegment, FrameTime
from gpen_fast.video.writer import Cut, OutputShape, most_reordered, write_joined

WHOLE = Cut()
FAST_PRESETS = {"h264": "ultrafast", "hevc": "ultrafast", "av1": "12", "vp9": "8"}


def through(path: Path, target: Path, length: int = 8, cut: Cut = WHOLE) -> list[str]:
    """Encodes a file again in segments of `length` frames and joins them; returns the notes."""
    facts, container = probe_video(path), CONTAINERS[target.suffix[1:]]
    stream = facts.stream
    wish = EncodingWish(preset=FAST_PRESETS.get(stream.codec))
    encoding = choose_encoding(
        wish, stream.codec, stream.pixel_format, stream.profile, (stream.width, stream.height), container
    )
    flags = av.format.ContainerFormat(container, "w").flags
    encoded = EncodedStream(encoding, stream, bool(flags & 0x40), facts.light)
    segments: list[EncodedSegment] = []
    with VideoReader(path) as reader:
        frames = list(reader.frames())
    for first in range(0, len(frames), length):
        encoder = SegmentEncoder(encoded, first)
        for frame in frames[first : first + length]:
            if cut.holds(frame.pts * stream.time_base):
                encoder.encode(frame.frame, FrameTime(frame.pts, frame.duration))
        if encoder.frames:
            segments.append(EncodedSegment.from_bytes(encoder.finish({}).to_bytes()))
    with target.open("w+b") as file:
        shape = OutputShape(container, encoded, facts.display_matrix, cut)
        return write_joined(file, shape, path, segments, most_reordered(segments))


@pytest.mark.parametrize("case", FORMATS, ids=lambda case: case.name)
def test_frames_times_streams_and_tags_are_the_inputs(case: FormatCase, tmp_path: Path) -> None:
    path = make(case, tmp_path, count=20, height=90)
    if path is None:
        pytest.skip("this build of FFmpeg lacks the encoder")
    target = tmp_path / f"out{case.suffix}"
    assert through(path, target) == []
    before, after = read_back(path), read_back(target)
    assert len(before.times) == 20
    assert after.times == before.times
    assert after.packets == before.packets
    assert after.kinds == before.kinds
    assert after.facts == before.facts


def test_what_a_container_cannot_hold_is_left_out_and_named(tmp_path: Path) -> None:
    case = next(case for case in FORMATS if case.name.startswith("mkv h264 two audio"))
    path = make(case, tmp_path, count=8, height=90)
    assert path is not None
    notes = through(path, tmp_path / "out.mp4")
    assert len(notes) == 1
    assert notes[0].startswith("stream 3 (subtitle, s")
    assert notes[0].endswith("is left out: mp4 does not hold it. An OUT that ends in .mkv holds most kinds.")
    assert [kind.split()[0] for kind in read_back(tmp_path / "out.mp4").kinds][:3] == [
        "video",
        "audio",
        "audio",
    ]


def test_a_cut_takes_the_other_streams_along(tmp_path: Path) -> None:
    path = make(FORMATS[0], tmp_path, count=30, height=90)
    assert path is not None
    cut = Cut(Fraction(10, 25), Fraction(20, 25), Fraction(10, 25))
    through(path, tmp_path / "out.mp4", cut=cut)
    after = read_back(tmp_path / "out.mp4")
    assert after.times == [Fraction(each, 25) for each in range(10)]
    sound = [float(at) for at, _ in after.packets[1] if at is not None]
    assert -0.03 < min(sound) < 0.03
    assert 0.35 < max(sound) < 0.42
