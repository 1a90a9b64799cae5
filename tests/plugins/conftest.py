"""What tests of plug-ins share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpen_fast.plugins import finder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path for installed packages; plug-ins are listed anew before and after the test."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    finder._catalog.cache_clear()
    yield folder
    finder._catalog.cache_clear()
