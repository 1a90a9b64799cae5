"""A video that becomes pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from clips import clip_pixels
from film_frames import pixels_of
from videos import Made, rgb_frames, write_video


def test_a_video_becomes_pictures_with_their_times(run, tmp_path: Path) -> None:
    made = Made("ffv1", "bgr0", {"level": "3", "g": "1"}, times=(0, 1, 3, 4), audio=("aac",))
    path = write_video(tmp_path / "clip.mkv", clip_pixels("pan", 4, 120), made)
    run(path, tmp_path / "o.mkv")
    report, _ = run(path, tmp_path / "out", frames=True)
    names = [f"clip_{n:06d}.png" for n in (1, 2, 3, 4)]
    told = json.loads((tmp_path / "out/frames.json").read_text())
    assert told["video"] == "clip.mkv"
    assert told["seconds"] == dict(zip(names, (0.0, 0.04, 0.12, 0.16), strict=True))
    assert "pictures hold no audio: left out." in report.notes[0].note
    pictures = pixels_of([tmp_path / "out" / name for name in names])
    for frame, picture in zip(rgb_frames(tmp_path / "o.mkv"), pictures, strict=True):
        assert np.array_equal(frame, picture[..., ::-1])
    again, _ = run(path, tmp_path / "out", frames=True)
    assert again.outcomes["skipped"] == 1


def test_ten_bits_become_sixteen_and_a_turned_video_upright_pictures(
    run, deep_clip: Path, tmp_path: Path
) -> None:
    run(deep_clip, tmp_path / "out", frames=True, end="0.07")
    assert len(list((tmp_path / "out").glob("*.png"))) == 2
    (deep,) = pixels_of([tmp_path / "out/deep_000001.png"])
    assert deep.dtype == np.uint16
    assert len(np.unique(deep)) > 256
    turned = [np.rot90(each, -1).copy() for each in clip_pixels("still", 1, 120)]
    path = write_video(tmp_path / "t.mp4", turned, Made(rotation=90, options={"crf": "4"}))
    run(path, tmp_path / "t", frames=True)
    (upright,) = pixels_of([tmp_path / "t/t_000001.png"])
    assert upright.shape == clip_pixels("still", 1, 120)[0].shape
