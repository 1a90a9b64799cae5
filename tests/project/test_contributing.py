"""Follows the steps of CONTRIBUTING.md: each file that it shows works as the page says."""

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
    """Copies the package and its weights, and writes the files of the steps into the copy."""
    root = tmp_path_factory.mktemp("checkout")
    for folder in ("src", "weights"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, code in STEPS.items():
        (root / "src/gpen_fast/stages" / name).write_text(code)
    (root / "in").mkdir()
    shutil.copy(EXAMPLES / "grace_hopper-degraded.jpg", root / "in/face.jpg")
    return root


def run(checkout: Path, *arguments: str) -> str:
    """Runs the command line of the copy and returns its output."""
    code = f"import sys; sys.path.insert(0, {str(checkout / 'src')!r}); from gpen_fast.cli.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_page_shows_every_kind_of_plug_in() -> None:
    assert sorted(STEPS) == ["detect/middle.py", "generate/unchanged.py", "save/ppm.py"]


def test_detector_of_the_page_finds_its_face(checkout: Path) -> None:
    output = run(checkout, "enhance", "in", "out-detector", "--detector", "middle", "--offline")
    assert "detector middle" in output
    assert "1 cleaned" in output


def test_backend_of_the_page_returns_faces_unchanged(checkout: Path) -> None:
    output = run(
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
    assert "(unchanged)" in output
    with (
        Image.open(checkout / "in/face.jpg") as before,
        Image.open(checkout / "out-backend/face.png") as after,
    ):
        wanted = before.convert("RGB").resize(after.size, Image.Resampling.BICUBIC)
        assert np.abs(np.asarray(after, dtype=int) - np.asarray(wanted, dtype=int)).mean() < 2


def test_another_library_reads_the_format_of_the_page(checkout: Path) -> None:
    run(checkout, "enhance", "in", "out-format", "--format", "ppm", "--detector", "middle", "--offline")
    with (
        Image.open(checkout / "out-format/face.ppm") as written,
        Image.open(checkout / "in/face.jpg") as before,
    ):
        assert (written.format, written.size) == ("PPM", before.size)


def test_help_lists_the_plug_ins_of_the_page(checkout: Path) -> None:
    output = run(checkout, "enhance", "--help")
    assert "middle" in output
    assert "unchanged" in output
    assert "ppm" in output
