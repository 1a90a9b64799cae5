"""Frames restored with those around them."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from clips import clip_pixels
from videos import Made, read_back, rgb_frames, write_video

from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.video import segments
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.run import run_videos
from gpen_fast.run.video.steady_line import SteadyLine
from gpen_fast.settings import Settings, VideoOptions

RGB = Made("ffv1", "bgr0", options={"level": "3", "g": "1"})


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four frames of a face that passes, with noise."""
    path = tmp_path_factory.mktemp("clips") / "pan.mkv"
    return write_video(path, clip_pixels("pan", 24, 180, noise=8.0), RGB)


def test_without_temporal_no_frame_knows_of_another(
    run, noisy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames of `--temporal 0` are those of `enhance`: test_restore compares them byte by byte."""
    monkeypatch.setattr(SteadyLine, "restored", lambda *given: pytest.fail("the line ran"))
    report, _ = run(noisy, tmp_path / "o.mkv", temporal=0.0, end="0.2")
    assert (report.video.tracks, report.video.flicker, report.video.jitter) == (None, None, None)


def test_faces_are_followed_and_do_not_flicker(run, noisy: Path, tmp_path: Path) -> None:
    report, _ = run(noisy, tmp_path / "o.mkv", temporal=0.5)
    figures = report.video
    assert (figures.frames_out, figures.tracks, report.faces) == (24, 1, 24)
    stages = {row.name: row.items for row in report.stages}
    assert stages["track"] == 24
    assert stages["detect"] == 5
    assert figures.flicker.after < 0.7 * figures.flicker.before
    assert figures.jitter.after < 0.5 * figures.jitter.before
    alone, _ = run(noisy, tmp_path / "alone.mkv", temporal=0.0)
    assert alone.faces == 24
    assert read_back(tmp_path / "o.mkv").times == read_back(noisy).times

    def boil(path: Path) -> float:
        """Frame to frame, the ground that no face covers apart."""
        frames = np.stack(rgb_frames(path)).astype(float)
        return float(np.abs(np.diff(frames - np.stack(rgb_frames(tmp_path / "clean.mkv")), axis=0)).mean())

    write_video(tmp_path / "clean.mkv", clip_pixels("pan", 24, 180), RGB)
    assert boil(tmp_path / "o.mkv") < boil(tmp_path / "alone.mkv")


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    small: Runtime, noisy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_S", 0.2)
    options = VideoOptions()

    def restore(target: Path, stop_after: int) -> object:
        stopped = threading.Event()

        class Stops:
            done = 0

            def begin(self, name: Path, frames: int, done: int) -> None: ...

            def frame(self) -> None:
                self.done += 1
                if self.done == stop_after:
                    stopped.set()

            def end(self, row: object) -> None: ...

        return run_videos([small], plan_videos([str(noisy)], target, options), options, Stops(), stopped)

    whole = restore(tmp_path / "whole.mkv", 99)
    assert restore(tmp_path / "o.mkv", 9).verdict == "interrupted"
    again = restore(tmp_path / "o.mkv", 99)
    assert (again.verdict, again.video.tracks) == ("all_done", 1)
    assert 9 <= again.video.frames_resumed < 24
    pairs = zip(rgb_frames(tmp_path / "whole.mkv"), rgb_frames(tmp_path / "o.mkv"), strict=True)
    assert all(np.array_equal(was, made) for was, made in pairs)
    assert again.faces == whole.faces


def test_a_face_that_enters_is_faint_at_first(
    run, tmp_path: Path, small: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = np.full((180, 320, 3), 90, np.uint8)
    ground = clip_pixels("still", 12, 180)
    # The face appears in the same scene: its frames differ from those before in little else.
    frames = [cover(each) for each in ground[:5]] + ground
    assert empty.shape == ground[0].shape
    path = write_video(tmp_path / "in.mkv", frames, RGB)
    fades: list[tuple[float, ...]] = []
    paste = Pipeline.paste

    def spy(self, picture):
        fades.append(picture.fades)
        return paste(self, picture)

    monkeypatch.setattr(Pipeline, "paste", spy)
    run(path, tmp_path / "o.mkv", temporal=0.5)
    shown = [each[0] for each in fades if each]
    assert shown[:6] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert shown[-1] == 1


def cover(pixels: np.ndarray) -> np.ndarray:
    """The frame with its face painted over."""
    painted = pixels.copy()
    painted[55:110, 130:195] = pixels[55:110, 130:195].mean(axis=(0, 1))
    return painted


def test_a_frame_that_cannot_be_restored_stays_and_the_others_go_on(
    run, noisy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, crop = iter(range(99)), Pipeline.crop

    def failing(self, picture):
        if next(calls) == 3:
            raise ValueError("broken face")
        return crop(self, picture)

    monkeypatch.setattr(Pipeline, "crop", failing)
    report, _ = run(noisy, tmp_path / "o.mkv", temporal=0.5)
    assert (report.video.frames_out, report.video.frames_unrestored, report.faces) == (24, 1, 23)
    before, after = rgb_frames(noisy)[3], rgb_frames(tmp_path / "o.mkv")[3]
    assert np.array_equal(before, after)


def test_a_face_that_is_left_as_found_does_not_flicker_either(
    run, noisy: Path, tmp_path: Path, tiny_weights: Path
) -> None:
    """What a network of random weights makes is refused; the frames' own noise is averaged all the same."""
    runtime = load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="lite", precision="fp32", keep_detail=1.0)
    )
    report, _ = run(noisy, tmp_path / "o.mkv", runtime=runtime, temporal=0.5, end="0.4")
    # Only what a crop of 64 pixels holds of it.
    assert report.video.flicker.after < 0.97 * report.video.flicker.before
