"""What tests of detectors share."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from gpen_fast.store import locate
from gpen_fast.store.catalog import entry


@pytest.fixture
def published_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where weights are searched: a file whose text is its own name counts as the published one."""
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path))

    def known(name: str):
        found = entry(name)
        return found if found.embedded else replace(found, sha256=(sha256(name.encode()).hexdigest(),))

    monkeypatch.setattr(locate, "entry", known)
    return tmp_path
