"""The steps of CONTRIBUTING.md are followed: each file that it shows works as it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from helpers import EXAMPLES, ROOT
from PIL import Image

BLOCK = re.compile(r"^ *```python (\w+/\w+\.py)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
STEPS = {name: textwrap.dedent(code) for name, code in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its weights, with the files that the steps tell to write."""
    root = tmp_path_factory.mktemp("checkout")
    for folder in ("src", "weights"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, code in STEPS.items():
        (root / "src/gpen_fast/stages" / name).write_text(code)
    (root / "in").mkdir()
    shutil.copy(EXAMPLES / "grace_hopper-degraded.jpg", root / "in/face.jpg")
    return root


def run(checkout: Path, *arguments: str) -> str:
    """Runs the copy's command line in it."""
    code = f"import sys; sys.path.insert(0, {str(checkout / 'src')!r}); from gpen_fast.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_kind_of_plug_in_is_shown() -> None:
    assert sorted(STEPS) == ["detect/middle.py", "generate/unchanged.py", "save/ppm.py"]


def test_the_detector_finds_its_face(checkout: Path) -> None:
    said = run(checkout, "enhance", "in", "out-detector", "--detector", "middle", "--offline")
    assert "detector middle" in said
    assert "1 restored" in said


def test_the_backend_gives_faces_back(checkout: Path) -> None:
    said = run(
        checkout,
        "enhance",
        "in",
        "out-backend",
        "--backend",
        "unchanged",
        "--skip-detect",
        "--format",
        "png",
        "--offline",
    )
    assert "(unchanged)" in said
    with (
        Image.open(checkout / "in/face.jpg") as before,
        Image.open(checkout / "out-backend/face.png") as after,
    ):
        wanted = before.convert("RGB").resize(after.size, Image.Resampling.BICUBIC)
        assert np.abs(np.asarray(after, dtype=int) - np.asarray(wanted, dtype=int)).mean() < 2


def test_the_format_is_read_by_another_library(checkout: Path) -> None:
    run(checkout, "enhance", "in", "out-format", "--format", "ppm", "--detector", "middle", "--offline")
    with (
        Image.open(checkout / "out-format/face.ppm") as written,
        Image.open(checkout / "in/face.jpg") as before,
    ):
        assert (written.format, written.size) == ("PPM", before.size)


def test_the_help_lists_them(checkout: Path) -> None:
    said = run(checkout, "enhance", "--help")
    assert "middle" in said
    assert "unchanged" in said
    assert "ppm" in said
