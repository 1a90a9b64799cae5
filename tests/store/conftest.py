"""Fixtures of the store's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from downloads import BODY
from hostile import Hostile, hostile


@pytest.fixture
def server() -> Iterator[Hostile]:
    """A server of the file that the tests download."""
    with hostile(BODY) as running:
        yield running


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """Where the file goes; its folder does not exist yet."""
    return tmp_path / "weights/file.pth"
