"""Where compiled code is cached: in our folder, unless the user named one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpen_fast.device.compiler import cache_compiled_code

NAME = "TORCHINDUCTOR_CACHE_DIR"


@pytest.mark.parametrize("before", ["", "/tmp/torchinductor_root"])
def test_ours_replaces_torchs_own_default(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, before)
    cache_compiled_code(tmp_path)
    assert os.environ[NAME] == str(tmp_path)


def test_the_users_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, str(tmp_path / "mine"))
    cache_compiled_code(tmp_path / "ours")
    assert os.environ[NAME] == str(tmp_path / "mine")
