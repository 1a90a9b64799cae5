"""Numbered pictures that become a video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from film_frames import pixels_of, write_deep_frames, write_frames
from videos import read_back, rgb_frames


def test_pictures_become_a_video_of_the_rate_that_is_given(run, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", 6)
    run(folder, tmp_path / "pictures", frames=True)
    run(folder, tmp_path / "o.mp4", fps="23.976", codec="h264", crf=4.0, pixel_format="yuv444p")
    back = read_back(tmp_path / "o.mp4")
    assert [float(each) for each in back.times] == [float(n * Fraction(1001, 24000)) for n in range(6)]
    assert back.facts["colour"] == (6, 1, 1, 13)
    pictures = pixels_of(sorted((tmp_path / "pictures").iterdir()))
    for made, picture in zip(rgb_frames(tmp_path / "o.mp4"), pictures, strict=True):
        assert np.abs(made.astype(int) - picture[..., ::-1]).mean() < 3


def test_sixteen_bits_and_alpha_reach_a_lossless_video(run, tmp_path: Path) -> None:
    folder = write_deep_frames(tmp_path / "in", 2)
    report, _ = run(folder, tmp_path / "o.mkv", fps="24", codec="ffv1")
    assert not report.notes
    assert read_back(tmp_path / "o.mkv").facts["format"] == "gbrap16le"
    made = rgb_frames(tmp_path / "o.mkv", "rgba64le")
    for pixels, number in zip(made, range(2), strict=True):
        assert (pixels[..., 3] == 40000 + number).all()
        (picture,) = pixels_of([folder / f"f{number}.png"])
        assert np.array_equal(pixels[:, -20:, :3], picture[:, -20:, 2::-1])


def test_alpha_that_a_codec_lacks_is_named(run, tmp_path: Path) -> None:
    report, _ = run(write_deep_frames(tmp_path / "in", 2), tmp_path / "o.mp4", fps="24")
    assert "alpha is left out: yuv420p10le holds none." in report.notes[0].note
    assert read_back(tmp_path / "o.mp4").facts["format"] == "yuv420p10le"


def test_an_unreadable_picture_repeats_the_one_before(run, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", 4, suffix=".bmp")
    (folder / "shot_0010.bmp").write_bytes(b"")
    report, _ = run(folder, tmp_path / "o.mkv", fps="24", codec="ffv1")
    assert "shot_0010.bmp (" in report.failed[0].error
    made = rgb_frames(tmp_path / "o.mkv")
    assert len(made) == 4
    assert np.array_equal(made[2], pixels_of([folder / "shot_0009.bmp"])[0][..., ::-1])
