"""The project's own weights travel with the package, and no others."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from helpers import ROOT

from gpen_fast.store import shipped


def test_wheel_carries_the_projects_weights_and_no_others(tmp_path: Path) -> None:
    """The wheel is built from a copy of the project that holds a user's own weights."""
    wheel = pytest.importorskip("hatchling.builders.wheel")
    project = tmp_path / "project"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        copy(ROOT / name, project / name)
    for path in ("src/gpen_fast/__init__.py", "src/gpen_fast/py.typed", "src/gpen_fast/store/shipped.py"):
        copy(ROOT / path, project / path)
    copy(ROOT / "weights/catalog.toml", project / "weights/catalog.toml")
    for name in (
        "gpen-lite-256.safetensors",
        "landmarks-lite.safetensors",
        "proposer-lite.safetensors",
        "GPEN-BFR-512.pth",
        "GPEN-BFR-512.safetensors",
        ".partial-x.pth",
    ):
        (project / "weights" / name).write_bytes(b"weights")
    (built,) = wheel.WheelBuilder(str(project)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    names = {name for name in zipfile.ZipFile(built).namelist() if not name.startswith("gpen_fast-")}
    assert names == {
        "gpen_fast/__init__.py", "gpen_fast/py.typed", "gpen_fast/store/shipped.py",
        "gpen_fast/weights/catalog.toml", "gpen_fast/weights/gpen-lite-256.safetensors",
        "gpen_fast/weights/landmarks-lite.safetensors", "gpen_fast/weights/proposer-lite.safetensors",
    }  # fmt: skip


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def test_shipped_files_are_found_in_a_checkout_and_in_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shipped.shipped("catalog.toml") == ROOT / "weights/catalog.toml"
    package = tmp_path / "site-packages/gpen_fast"
    (package / "weights").mkdir(parents=True)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/catalog.toml").write_text("of another project")
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped.shipped("catalog.toml") == package / "weights/catalog.toml"
