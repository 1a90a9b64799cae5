"""`enhance a.jpg -`: one picture on standard output, everything else on standard error."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import EXAMPLES
from PIL import Image

from gpen_fast.cli import piped

PICTURE = EXAMPLES / "grace_hopper-degraded.jpg"


@pytest.fixture
def enhance(tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs `enhance` in an empty folder, as a process with binary output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    shutil.copy(PICTURE, "a.jpg")

    def run(*arguments: str, **streams) -> subprocess.CompletedProcess[bytes]:
        command = [
            sys.executable,
            "-m",
            "gpen_fast",
            "enhance",
            *arguments,
            "--keep-detail",
            "0",
            "--weights",
            str(tiny_weights),
        ]
        streams = {"stdout": subprocess.PIPE, **streams}
        return subprocess.run(command, stderr=subprocess.PIPE, check=False, **streams)

    return run


def test_standard_output_holds_a_png_and_nothing_else(enhance) -> None:
    ran = enhance("a.jpg", "-")
    assert ran.returncode == 0
    with Image.open(io.BytesIO(ran.stdout)) as image, Image.open(PICTURE) as source:
        image.load()
        assert (image.format, image.size) == ("PNG", source.size)
    assert ran.stdout.endswith(b"IEND\xaeB`\x82")
    assert b"1 restored" in ran.stderr
    assert [path.name for path in Path().iterdir()] == ["a.jpg"], "no file is left"


def test_a_format_that_is_named_is_written(enhance) -> None:
    with Image.open(io.BytesIO(enhance("a.jpg", "-", "--format", "webp").stdout)) as image:
        assert image.format == "WEBP"
    assert [piped._suffix("same", Path(name)) for name in ("a.JPG", "a.heic")] == ["jpg", "png"]


def test_a_picture_that_fails_leaves_standard_output_empty(enhance) -> None:
    Path("bad.jpg").write_text("no picture")
    ran = enhance("bad.jpg", "-")
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"failed bad.jpg: not a picture" in ran.stderr


def test_a_reader_that_leaves_is_a_failure_here(enhance) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ran = enhance("a.jpg", "-", "--quiet", stdout=writer)
    os.close(writer)
    assert ran.returncode == 1
    assert ran.stderr == b"failed a.jpg: standard output: broken pipe. The picture is not written.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["."], "takes the result of exactly one picture: . is a folder."),
        (["a.jpg", "b.jpg"], "takes the result of exactly one picture: 2 were named."),
        ([], "takes the result of exactly one picture: 0 were named."),
        (["a.jpg", "--save-faces"], "--save-faces and --suffix need an output folder"),
    ],
)
def test_what_standard_output_cannot_hold_is_refused(cli, tmp_path: Path, arguments, words: str) -> None:
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        paths = [name for name in arguments if not name.startswith("--")]
        ran = cli("enhance", *paths, "-", *(name for name in arguments if name.startswith("--")))
    finally:
        os.chdir(here)
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err
