"""Numbered pictures as a film: what `enhance` gives for each, and what is refused before the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from film_frames import pixels_of, write_deep_frames, write_frames
from PIL import Image

from gpen_fast.errors import VideoError
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.job import PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.video.films import film_facts, input_key
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.settings import VideoOptions


def item_of(folder: Path, out: Path, options: VideoOptions):
    return plan_videos([str(folder)], out, options).todo[0]


def test_each_picture_is_what_enhance_makes_of_it(run, small: Runtime, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", 3)
    report, told = run(folder, tmp_path / "out", frames=True, fps="24")
    assert (report.faces, report.video.frames_out, told.begun) == (3, 3, [(3, 0)])
    assert report.video.duration_s == 0.125
    for path in sorted(folder.iterdir()):
        made = Pipeline(small, Clock(Recorder())).restore(PictureSource(0, path))
        pixels = np.asarray(Image.open(tmp_path / "out" / path.name))
        assert np.array_equal(pixels, made.result.pixels.permute(1, 2, 0).numpy())
    assert not (tmp_path / "out/.gpen-fast").exists()


def test_sixteen_bits_and_alpha_stay(run, tmp_path: Path) -> None:
    folder = write_deep_frames(tmp_path / "in", 3)
    run(folder, tmp_path / "out", frames=True, temporal=0.5)
    before, after = (pixels_of([each / f"f{n}.png" for n in range(3)]) for each in (folder, tmp_path / "out"))
    for number, (was, made) in enumerate(zip(before, after, strict=True)):
        assert made.dtype == np.uint16
        assert (made[..., 3] == 40000 + number).all()
        changed = (was != made).any(axis=2)
        assert changed.any()
        assert np.array_equal(was[~changed], made[~changed])
        assert not changed[:, -20:].any()
        assert len(np.unique(made[changed] % 257)) > 3  # not eight bits that were made sixteen


def test_a_change_of_size_is_refused_before_anything_is_written(run, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", 4)
    Image.new("RGB", (60, 50)).save(folder / "shot_0010.png")
    report, _ = run(folder, tmp_path / "out", frames=True)
    assert report.failed[0].error.startswith(
        "shot_0010.png has 60x50 pixels, and the pictures before it have 214x120: a film has one size."
    )
    assert not (tmp_path / "out").exists()


def test_a_part_without_pictures_is_refused(tmp_path: Path) -> None:
    options = VideoOptions(frames=True, fps="25", start="3")
    item = item_of(write_frames(tmp_path / "in", 2, 60), tmp_path / "out", options)
    with pytest.raises(VideoError, match="no picture between --start 3 and --end the end: there are 2"):
        film_facts(item, options)


def test_the_key_tells_a_changed_picture(tmp_path: Path) -> None:
    options = VideoOptions(frames=True)
    folder = write_frames(tmp_path / "in", 2, 60)
    item = item_of(folder, tmp_path / "out", options)
    key = input_key(item, options)
    assert key == input_key(item, options)
    Image.new("RGB", (106, 60)).save(folder / "shot_0009.png")
    assert key != input_key(item, options)
