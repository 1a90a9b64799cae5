"""What the package says of itself, and what its archives hold."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from helpers import ROOT

LINK = re.compile(r"\]\((?!https?://|#)[^)]*\)")
_LARGEST = 1_000_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tracked files: what is built does not depend on what else lies in the checkout."""
    folder = tmp_path_factory.mktemp("project")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def sdist(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tarfile.TarFile:
    builder = pytest.importorskip("hatchling.builders.sdist")
    pytest.importorskip("hatch_fancy_pypi_readme")
    folder = tmp_path_factory.mktemp("dist")
    (built,) = builder.SdistBuilder(str(project)).build(directory=str(folder), versions=["standard"])
    return tarfile.open(built)


def test_the_description_has_no_link_that_leads_nowhere(sdist: tarfile.TarFile) -> None:
    (name,) = [name for name in sdist.getnames() if name.count("/") == 1 and name.endswith("PKG-INFO")]
    file = sdist.extractfile(name)
    assert file
    head, _, description = file.read().decode().partition("\n\n")
    assert not LINK.findall(description)
    assert LINK.findall((ROOT / "README.md").read_text()), "the README itself links to its neighbours"
    assert "`docs/architecture.md` in the source distribution" in description
    assert "## [Unreleased]" in description, "the changelog is part of it"
    assert "Author: the gpen-fast developers" in head
    for minor in (11, 13):
        assert f"Programming Language :: Python :: 3.{minor}" in head


def test_the_source_distribution_has_no_large_test_data(sdist: tarfile.TarFile) -> None:
    sizes = {each.name.split("/", 1)[1]: each.size for each in sdist.getmembers() if each.isfile()}
    assert {name for name, size in sizes.items() if size > _LARGEST} == {"weights/gpen-lite-256.safetensors"}
    assert "tests/data/alignment.json" in sizes
    assert "src/gpen_fast/cli/app.py" in sizes
    assert not [name for name in sizes if name.startswith((".ci/", "out/"))]


def test_make_passes_an_index_on() -> None:
    """`make -n` prints the commands and runs none."""
    command = [
        "make",
        "-n",
        "demo",
        f"PYTHON={sys.executable}",
        "VENV=.venv-none",
        "TORCH_INDEX=https://x.example/cpu",
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip("make is not installed")
    installs = [line for line in ran.stdout.splitlines() if "pip" in line and "install -q" in line]
    assert installs
    assert all("--extra-index-url https://x.example/cpu" in line for line in installs)


def test_benchmarks_leave_tracked_files_alone_unless_asked() -> None:
    for flags in ([], ["COMMIT=1"]):
        command = ["make", "-n", "bench", "VENV=.venv-none", f"PYTHON={sys.executable}", *flags]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if ran.returncode:
            pytest.skip("make is not installed")
        lines = [line for line in ran.stdout.splitlines() if "benchmarks/" in line]
        assert len(lines) == 2
        assert all(("--commit" in line) == bool(flags) for line in lines)
    code = """
import stages
stages.Path.mkdir = lambda *arguments, **named: None
print(stages.results_folder(False), stages.results_folder(True))
"""
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, check=True)
    ignored, tracked = shown.stdout.split()
    assert "/out/benchmarks/" in ignored
    assert "/benchmarks/results/" in tracked
