"""Runs that are killed at random moments. `benchmarks/video_soak.py kills` kills 30."""

from __future__ import annotations

from pathlib import Path

from killed import found_by_script


def test_after_kills_frames_times_and_sound_are_those_of_an_undisturbed_run(
    tmp_path: Path, tiny_weights: Path
) -> None:
    found = found_by_script("video_kills.py", tmp_path / "kills", tiny_weights, 5)
    assert (found["kills"], found["same"], found["left"]) == (5, True, [])
