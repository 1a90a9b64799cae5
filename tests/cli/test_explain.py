"""Errors that packages and the system cause, in the words that their authors chose."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import EXAMPLES

from gpen_fast.cli.explain import explained

# OpenCV's own text in a container without a desktop's libraries (Debian 12, minbase).
LIBRARY = "libGL.so.1: cannot open shared object file: No such file or directory"
CURE = (
    "apt-get install libgl1 libglib2.0-0 (Debian, Ubuntu); or, without it, "
    "pip uninstall -y opencv-python && pip install opencv-python-headless"
)
# Raises what `import cv2` raises there, for cv2 alone.
HOOK = f"""
import sys
class Slim:
    def find_spec(self, name, path=None, target=None):
        if name == "cv2":
            raise ImportError({LIBRARY!r}, name="cv2")
sys.meta_path.insert(0, Slim())
"""


@pytest.fixture
def slim(tmp_path: Path):
    """Runs Python in a process for which the library under OpenCV is absent."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(HOOK)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join([str(hooks), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = os.environ | {"PYTHONPATH": paths}
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment
        )

    return run


def test_enhance_without_opencvs_library_is_one_sentence(slim, tmp_path: Path) -> None:
    # Without --quiet the first lines of a log come before it.
    degraded = str(EXAMPLES / "grace_hopper-degraded.jpg")
    ran = slim("-m", "gpen_fast", "enhance", degraded, str(tmp_path / "out"), "--quiet")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert (
        ran.stderr
        == f"error: OpenCV needs the system library libGL.so.1, which is not installed. Try: {CURE}\n"
    )


def test_doctor_names_the_cure_that_helps_once(slim) -> None:
    ran = slim("-m", "gpen_fast", "doctor", "--device", "cpu")
    assert ran.returncode == 1
    verdict = ran.stdout[ran.stdout.index("cannot restore yet") :].splitlines()
    names, cure = verdict[1].strip().split(": ", 1)
    assert names.replace("-headless", "") == "facexlib, opencv-python, detector"
    assert cure == CURE
    assert verdict[2] == "optional"


def test_python_raises_the_same_sentence(slim) -> None:
    code = """
from gpen_fast.errors import InstallError
try:
    from gpen_fast import Restorer
except InstallError as error:
    print(error)
"""
    assert slim("-c", code).stdout.startswith("OpenCV needs the system library libGL.so.1, which is not")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_too_little_memory_in_all_its_words(error: Exception) -> None:
    assert str(explained(error)).startswith("memory does not suffice")


def test_absent_and_broken_packages_are_named() -> None:
    absent = ModuleNotFoundError("No module named 'safetensors'", name="safetensors")
    assert (
        explained(absent)
        == "gpen-fast needs the package safetensors, which is not installed. Try: pip install 'safetensors>=0.5'"
    )
    broken = ImportError("numpy.core.multiarray failed to import", name="numpy")
    assert str(explained(broken)).endswith("Try: pip install --force-reinstall numpy")
    cuda = OSError("libcudart.so.13: cannot open shared object file: No such file or directory")
    assert "needs the system library libcudart.so.13" in str(explained(cuda))


@pytest.mark.parametrize(
    "error",
    [
        ImportError("cannot import name 'x' from 'gpen_fast.files'", name="gpen_fast.files"),
        ValueError("x"),
        OSError(errno.EIO, "Input/output error"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_faults_of_our_own_keep_their_traceback(error: Exception) -> None:
    assert explained(error) is None
