"""Runs that are killed at random moments. benchmarks/video_kills.py kills 30."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from helpers import ROOT


def test_after_kills_frames_times_and_sound_are_those_of_an_undisturbed_run(
    tmp_path: Path, tiny_weights: Path
) -> None:
    script = ROOT / "tests/support/video_kills.py"
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "kills"), str(tiny_weights), "5"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert (found["kills"], found["same"], found["left"]) == (5, True, [])
