"""Decoded frames with their times, and files that cannot be read to their end."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from clips import clip_pixels
from videos import Made, read_back, write_video

from gpen_fast.errors import VideoError
from gpen_fast.settings import VideoOptions
from gpen_fast.video.reader import VideoReader

FAST = {"preset": "ultrafast", "crf": "30"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return write_video(folder / "a.mkv", clip_pixels("pan", 50, 90), Made(options={**FAST, "g": "10"}))


def times(path: Path, **options: Fraction) -> list[Fraction]:
    with VideoReader(path) as reader:
        return [frame.pts * reader.facts.time_base for frame in reader.frames(**options)]


def test_every_frame_comes_with_its_own_time(tmp_path: Path, clip: Path) -> None:
    uneven = (0, 40, 41, 180, 181, 500)
    made = Made(times=uneven, time_base=Fraction(1, 1000), options=FAST)
    path = write_video(tmp_path / "v.mp4", clip_pixels("pan", 6, 90), made)
    assert times(path) == [Fraction(each, 1000) for each in uneven]
    assert times(clip) == read_back(clip).times
    assert len(times(clip)) == 50


def test_start_and_end_choose_the_frames_between_them(clip: Path) -> None:
    half, one = Fraction(1, 2), Fraction(1)
    assert times(clip, start=half, end=one) == [each for each in times(clip) if half <= each < one]
    # A frame that begins at the end is not among them, whatever the end is as a binary fraction.
    third = str(float(times(clip)[2]))
    assert len(times(clip, end=VideoOptions(end=third).end_s)) == 2


def test_a_file_that_is_cut_off_gives_what_is_there_and_says_what_is_not(tmp_path: Path, clip: Path) -> None:
    short = tmp_path / "short.mkv"
    short.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with VideoReader(short) as reader:
        count = len(list(reader.frames()))
        assert 5 < count < 45
        told = reader.cut_off()
    assert told.startswith("the file ends early")
    assert "of the 2.0 s that it says it has could be read" in told
    with VideoReader(clip) as reader:
        assert len(list(reader.frames())) == 50
        assert reader.cut_off() == ""


def test_interlaced_frames_are_refused_or_made_whole(tmp_path: Path) -> None:
    made = Made(options={**FAST, "x264-params": "tff=1"})
    path = write_video(tmp_path / "i.mkv", clip_pixels("pan", 8, 96), made)
    with (
        VideoReader(path) as reader,
        pytest.raises(VideoError, match=r"frame 0 is interlaced.*Add --deinterlace"),
    ):
        list(reader.frames())
    with VideoReader(path, deinterlace=True) as reader:
        frames = list(reader.frames())
    assert [frame.pts for frame in frames] == [each * 40 for each in range(8)]
    assert not frames[2].frame.interlaced_frame


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"no video at all" * 99, "invalid data"),
        (b"\x1aE\xdf\xa3" * 50, "no video that can be read"),
    ],
)
def test_what_is_no_video_is_refused_in_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=words) as told:
        VideoReader(path)
    assert "\n" not in str(told.value)


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        VideoReader(tmp_path / "none.mp4")
