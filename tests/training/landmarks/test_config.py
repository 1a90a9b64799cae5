"""One TOML file describes a landmark run, and a wrong value in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import SettingsError
from gpen_fast.training.landmarks.commands import DEFAULT
from gpen_fast.training.landmarks.config import LandmarkConfig, WindowConfig, read_landmark_config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[run]\nsteps = 9\n[optimiser]\ncooling = 0\n", "run.toml: cooling 0: accepted is above 0"),
        (
            "[run]\nsteps = 9\nbatch = 1\n",
            "run.toml: steps 9, batch 1: accepted are steps from 1 up and a batch from 2 up",
        ),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_landmark_config(path)


def test_the_published_run_can_be_read() -> None:
    assert read_landmark_config(DEFAULT).network.widths == (12, 32, 64, 96)
    with pytest.raises(
        SettingsError, match="steps 0, batch 64: accepted are steps from 1 up and a batch from 2 up"
    ):
        LandmarkConfig(steps=0)


def test_narrow_windows_are_jittered_less_than_wide_ones() -> None:
    windows = WindowConfig(squeeze=0.1)
    narrow, wide = windows.jitter(narrow=True), windows.jitter(narrow=False)
    assert (narrow.rotation, narrow.scale, narrow.shift, narrow.squeeze) == (10.0, 1.15, 0.06, 0.1)
    assert (wide.rotation, wide.scale, wide.shift, wide.squeeze) == (45.0, 1.4, 0.18, 0.1)
