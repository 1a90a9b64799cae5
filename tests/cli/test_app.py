"""The program's front door: help, version, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gpen_fast import __version__


@pytest.mark.parametrize("arguments", [["--help"], ["enhance", "--help"], ["profile", "-h"], ["--version"]])
def test_front_door_loads_no_torch(arguments: list[str]) -> None:
    code = f"""
import sys
from gpen_fast.cli.app import main
sys.argv = ["gpen-fast", *{arguments!r}]
try:
    main()
finally:
    print([name for name in ("torch", "numpy", "cv2", "PIL") if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"
    assert done.stdout.strip()


def test_version_and_bare_call(cli) -> None:
    assert cli("--version").out == f"gpen-fast {__version__}\n"
    bare = cli()
    assert "enhance" in bare.out
    assert "profile" in bare.out


def test_python_m(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gpen_fast", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"gpen-fast {__version__}\n"


def test_an_error_of_ours_is_one_sentence_and_exit_2(cli) -> None:
    ran = cli("weights", "path", "nose")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: unknown weights 'nose'")
    assert ran.err.count("\n") == 1
