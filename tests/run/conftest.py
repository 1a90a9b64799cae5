"""Runtimes of a small network, and a folder of pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import write_photo
from runs import BatchDetector

from gpen_fast.run import ahead
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import Settings


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not change which pictures share a batch."""
    monkeypatch.setattr(ahead, "PATIENCE_S", 20.0)


@pytest.fixture
def runtime(tiny_weights: Path) -> Runtime:
    """Each picture is one aligned face; three faces a call."""
    return load_runtime(
        Settings.from_flat(
            weights=str(tiny_weights), detector="none", precision="fp32", batch_size=3, keep_detail=0.0
        )
    )


@pytest.fixture
def detecting(tiny_weights: Path) -> Runtime:
    """With a detector that takes four pictures at once."""
    made = load_runtime(
        Settings.from_flat(
            weights=str(tiny_weights), detector="haar", precision="fp32", batch_size=3, keep_detail=0.0
        )
    )
    return replace(made, detector=BatchDetector())


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.jpg", "in/b.PNG", "in/1931/c.jpeg", "in/1931/ä ö.webp"):
        write_photo(tmp_path / name)
    (tmp_path / "in/notes.txt").write_text("x")
    (tmp_path / "in/1931/._c.jpeg").write_text("x")
    return tmp_path


@pytest.fixture
def enhance(cli, tiny_weights: Path):
    """Runs `gpen-fast enhance` with the small network and a detector of boxes."""

    def run(*arguments: object):
        return cli(
            "enhance", *arguments, "--weights", tiny_weights, "--detector", "haar", "--precision", "fp32"
        )

    return run
