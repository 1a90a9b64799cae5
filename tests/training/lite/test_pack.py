"""The file for a machine without a network holds what its script needs, and stays within its limit."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from lite_sets import two_sets

from gpen_fast.errors import InputsError
from gpen_fast.training.lite import pack
from gpen_fast.training.lite.pack import pack_run
from gpen_fast.training.lite.sets import read_sets


def test_its_script_finds_the_code_and_the_sets(tmp_path: Path) -> None:
    folders = two_sets(tmp_path)
    size = pack_run(folders, tmp_path / "run.tar", 9)
    assert size == (tmp_path / "run.tar").stat().st_size < 10e6
    with tarfile.open(tmp_path / "run.tar") as tar:
        tar.extractall(tmp_path, filter="data")
    home = tmp_path / "gpen-lite2"
    assert [len(rows) for rows in read_sets([home / "data" / "0", home / "data" / "1"])] == [6, 8]
    script = home / "train.sh"
    assert "--data data/0 --data data/1" in script.read_text()
    environment = {"PYTHON": sys.executable, "PATH": "/usr/bin:/bin", "OUT": str(tmp_path / "out")}
    done = subprocess.run(
        ["sh", script, "--help"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Train for a given time, or resume an interrupted run" in done.stdout


def test_refuses_to_be_larger_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "LIMIT", 1000)
    with pytest.raises(InputsError, match=r"MB, accepted are 0.001 MB. Pack fewer sets"):
        pack_run(two_sets(tmp_path), tmp_path / "run.tar", 9)
    assert not list(tmp_path.glob("run.tar*"))
