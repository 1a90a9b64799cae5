"""Plug-ins as their authors add them and users name them: a package's entry points, or one new file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers import EXAMPLES, ROOT, photo
from packages import BACKEND, DETECTOR, FORMAT, install

from gpen_fast import Restorer
from gpen_fast.plugins import finder

SOURCE = ROOT / "src"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path with a package that adds one plug-in of each kind."""
    folder = tmp_path / "site"
    groups = {
        "gpen_fast.detectors": {"mine": "my_faces.detector"},
        "gpen_fast.backends": {"mine": "my_faces.backend"},
        "gpen_fast.formats": {"raw": "my_faces.format"},
    }
    install(folder, "my-faces", groups, detector=DETECTOR, backend=BACKEND, format=FORMAT)
    monkeypatch.syspath_prepend(str(folder))
    finder._catalog.cache_clear()
    yield folder
    finder._catalog.cache_clear()
    for module in [name for name in sys.modules if name.partition(".")[0] == "my_faces"]:
        del sys.modules[module]


def run(*arguments: object, path: tuple[Path, ...]) -> subprocess.CompletedProcess[str]:
    """`gpen-fast` in a process of its own: what it lists is read when it starts."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "gpen_fast", *map(str, arguments)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_another_packages_plug_ins_restore_a_picture(site: Path) -> None:
    picture = photo(300, 300)
    restoration = Restorer(detector="mine", backend="mine", device="cpu").restore(picture)
    (face,) = restoration.faces
    assert face.box == (75, 75, 225, 225)
    # The backend returns the crop as it is, so the picture comes back but for one resampling.
    assert np.abs(restoration.image.astype(int) - picture).mean() < 3


def test_another_packages_plug_ins_on_the_command_line(site: Path, tmp_path: Path) -> None:
    path = (site, SOURCE)
    told = run("enhance", "--help", path=path).stdout
    assert "mine, retinaface, retinaface-mobile" in " ".join(told.split())
    assert "raw" in told
    ran = run(
        "enhance", EXAMPLES / "astronaut.png", tmp_path / "out", "--detector", "mine", "--backend", "mine",
        "--format", "raw", "--device", "cpu", path=path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "detector middle" in ran.stdout
    assert (tmp_path / "out/astronaut.raw").read_bytes()[:3] == b"raw"
    assert "my-faces" not in ran.stderr


def test_one_new_file_is_a_detector(tmp_path: Path) -> None:
    copy = tmp_path / "src" / "gpen_fast"
    shutil.copytree(SOURCE / "gpen_fast", copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "weights", tmp_path / "weights")
    (copy / "stages/detect/the_middle.py").write_text(DETECTOR)
    ran = run(
        "enhance", EXAMPLES / "astronaut.png", tmp_path / "out", "--detector", "the-middle", "--device", "cpu",
        path=(copy.parent,),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "detector middle" in ran.stdout
    assert (tmp_path / "out/astronaut.png").exists()
