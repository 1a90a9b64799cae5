"""A limit of address space under which the libraries below Python would end the process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gpen_fast.cli import trial
from gpen_fast.errors import InstallError

resource = pytest.importorskip("resource")


def limited(gigabytes: float, *arguments: str) -> subprocess.CompletedProcess[str]:
    limit = int(gigabytes * 1e6)
    command = f'ulimit -v {limit}; exec "{sys.executable}" -m gpen_fast "$@"'
    return subprocess.run(
        ["bash", "-c", command, "bash", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("gigabytes", [0.4, 1.2])
def test_too_little_memory_is_one_line_and_status_2(tmp_path, picture: str, gigabytes: float) -> None:
    # Without --quiet the first lines of a log come before it.
    ran = limited(gigabytes, "enhance", picture, str(tmp_path / "out"), "--offline", "--quiet")
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert ran.stderr.startswith("error: memory does not suffice")
    assert f"this process may use {gigabytes:.1f} GB of address space (ulimit -v)" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_the_trial_runs_only_under_a_low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    died = subprocess.CompletedProcess([], -6)
    monkeypatch.setattr(trial.subprocess, "run", lambda *command, **options: died)
    monkeypatch.setattr(trial.resource, "getrlimit", lambda what: (resource.RLIM_INFINITY, 0))
    trial.refuse_little_memory()
    assert trial.shown_limit() == ""
    monkeypatch.setattr(trial.resource, "getrlimit", lambda what: (64 << 30, 0))
    trial.refuse_little_memory()
    monkeypatch.setattr(trial.resource, "getrlimit", lambda what: (3_000_000_000, 0))
    with pytest.raises(InstallError, match=r"memory does not suffice to start: this process may use 3\.0 GB"):
        trial.refuse_little_memory()


@pytest.fixture
def picture() -> str:
    from helpers import EXAMPLES

    return str(EXAMPLES / "grace_hopper-degraded.jpg")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("pass", 0),
        ("raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')", 0),
        ("raise MemoryError", 1),
        ("import os; os.abort()", -6),
    ],
)
def test_what_the_trial_tells_apart(tmp_path, line: str, status: int) -> None:
    """An error that Python raises is left to the command, which explains it; a process that dies is not."""
    package = tmp_path / "gpen_fast/run"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "runtime.py").write_text(line + "\n")
    ran = subprocess.run(
        [sys.executable, "-c", trial._TRIAL], cwd=tmp_path, capture_output=True, check=False,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )  # fmt: skip
    assert ran.returncode == status
