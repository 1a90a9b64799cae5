"""Runs that write pictures and are killed at random moments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from helpers import ROOT


def test_after_kills_the_pictures_are_those_of_an_undisturbed_run(tmp_path: Path, tiny_weights: Path) -> None:
    script = ROOT / "tests/support/picture_kills.py"
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "kills"), str(tiny_weights), "3"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert (found["kills"], found["same"], found["left"]) == (3, True, [])
