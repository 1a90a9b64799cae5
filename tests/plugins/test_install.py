"""Plug-ins that cannot be loaded: the error names what to install."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

import gpen_fast.stages.detect as detectors
from gpen_fast.errors import PluginError
from gpen_fast.plugins import finder

FACTS = "FACTS = DetectorFacts(rank=None, gives_landmarks=True, on_host=True, help='x'"
ABSENT = ", which is not installed. Try: pip install "
REQUIREMENTS = [
    "opencv-python<5,>=4.10",
    "zlib-ng>=1.0",
    'pillow-heif>=1; extra == "heic"',
    'gpen-fast[heic,train]; extra == "test"',
    'pytest>=8.3; extra == "test"',
    "scikit-image>=0.24; python_version < '3.13' and extra == 'train'",
]


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Makes a detector of some lines, loads it, and gives the words of the error."""
    folder = tmp_path / "stages" / "detect"
    folder.mkdir(parents=True)
    monkeypatch.setattr(finder, "_STAGES", tmp_path / "stages")
    monkeypatch.setattr(detectors, "__path__", [*detectors.__path__, str(folder)])
    monkeypatch.setattr(metadata, "requires", lambda name: REQUIREMENTS)
    for module in ("cv2", "PIL", "pillow_heif", "skimage", "zlib_ng", "yaml", "pytest_of_nobody", "facexlib"):
        for loaded in [name for name in sys.modules if name.partition(".")[0] == module]:
            monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.setitem(sys.modules, module, None)
    finder._catalog.cache_clear()

    def refused(lines: str) -> str:
        (folder / "my_own.py").write_text(lines if "FACTS" in lines else f"{lines}\n{FACTS})\n")
        importlib.invalidate_caches()
        with pytest.raises(PluginError) as told:
            finder.load_plugin("detect", "my-own")
        return str(told.value)

    yield refused
    finder._catalog.cache_clear()


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ("import cv2", f"the package opencv-python{ABSENT}'opencv-python<5,>=4.10'"),
        ("import zlib_ng", f"the package zlib-ng{ABSENT}'zlib-ng>=1.0'"),
        ("import pillow_heif", f"the package pillow-heif{ABSENT}'gpen-fast[heic]'"),
        ("from skimage import io", f"the package scikit-image{ABSENT}'gpen-fast[train]'"),
        ("import yaml", f"the package pyyaml{ABSENT}pyyaml"),
        (f"import facexlib\n{FACTS}, extra='onnx')", f"the package facexlib{ABSENT}'gpen-fast[onnx]'"),
        (
            "import pytest_of_nobody.inner",
            "the module pytest_of_nobody, which is not installed. Install the package that holds it; "
            "if that has the same name: pip install pytest-of-nobody",
        ),
        (
            "import numpy.of_a_later_version",
            "the module numpy.of_a_later_version, which the installed numpy does not have. "
            "Try: pip install --upgrade numpy",
        ),
        (
            "import gpen_fast.stages.detect.absent",
            "the module gpen_fast.stages.detect.absent, which gpen-fast does not have. "
            "Correct the import in its file.",
        ),
    ],
    ids=lambda value: value.partition(",")[0],
)
def test_a_missing_package_is_named_as_it_is_installed(
    refusal: Callable[[str], str], lines: str, wanted: str
) -> None:
    assert refusal(lines) == f"detector 'my-own' needs {wanted}"


def test_without_metadata_the_package_is_named_all_the_same(
    refusal: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", absent)
    assert refusal("import cv2").endswith("Try: pip install opencv-python")
