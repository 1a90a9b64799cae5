"""`gpen-fast undo` as a user types it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import EXAMPLES, ROOT, write_photo
from reports import problems, strict_schema

PORTRAIT = EXAMPLES / "grace_hopper-degraded.jpg"


@pytest.fixture
def album(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_weights: Path) -> Path:
    """A portrait that was restored in place, and a picture without faces."""
    monkeypatch.chdir(tmp_path)
    Path("album").mkdir()
    shutil.copy2(PORTRAIT, "album/portrait.jpg")
    write_photo(tmp_path / "album/meadow.png")
    assert cli("enhance", "album", "--in-place", "--strength", "0", "--weights", tiny_weights).status == 0
    assert Path("album/portrait.jpg").read_bytes() != PORTRAIT.read_bytes()
    return Path("album")


def test_back_and_restored_again(cli, album: Path, tiny_weights: Path) -> None:
    ran = cli("undo", "album")
    assert (ran.status, ran.out, ran.err) == (0, "1 brought back\n", "")
    portrait = album / "portrait.jpg"
    assert portrait.read_bytes() == PORTRAIT.read_bytes()
    assert portrait.stat().st_mtime_ns == PORTRAIT.stat().st_mtime_ns
    assert sorted(path.name for path in album.iterdir() if path.name != ".gpen-fast") == [
        "meadow.png",
        "portrait.jpg",
    ]
    assert not (album / ".gpen-fast/originals").exists()
    again = cli("enhance", "album", "--in-place", "--strength", "0", "--weights", tiny_weights)
    assert "1 restored, 0 no face" in again.out, "the picture without a face is known to have none"
    assert "originals are kept in .gpen-fast/originals of each folder: up to " in again.err


def test_dry_run_changes_nothing(cli, album: Path) -> None:
    before = (album / "portrait.jpg").read_bytes()
    ran = cli("undo", "album", "--dry-run")
    assert (ran.status, ran.out) == (0, "album/portrait.jpg\n1 to bring back\n")
    assert (album / "portrait.jpg").read_bytes() == before


def test_a_changed_picture_is_named(cli, album: Path) -> None:
    (album / "portrait.jpg").write_bytes(b"edited")
    for flags in (["--dry-run"], []):
        ran = cli("undo", "album", *flags)
        assert ran.status == 1
        assert ran.err == (
            "left alone album/portrait.jpg: it was changed after the run. --set-aside renames it to "
            "portrait_changed.jpg and brings the original back.\n"
        )
    assert cli("undo", "album", "--set-aside", "--dry-run").status == 0
    ran = cli("undo", "album", "--set-aside")
    assert (ran.status, ran.out) == (0, "1 brought back\n")
    assert ran.err == "note album/portrait.jpg: your own version of it is now album/portrait_changed.jpg.\n"
    assert (album / "portrait_changed.jpg").read_bytes() == b"edited"


def test_nothing_to_undo(cli, album: Path, tiny_weights: Path) -> None:
    cli("undo", "album")
    ran = cli("undo", "album", "album/meadow.png")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("nothing to undo: no originals are kept there")
    ran = cli("enhance", "album", "--in-place", "--no-backup", "--strength", "0", "--weights", tiny_weights)
    assert "originals are not kept (--no-backup)" in ran.err
    assert cli("undo", "album").out.startswith("nothing to undo")
    ran = cli("undo", "nowhere")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: nowhere: no such file or folder")


def test_no_backup_needs_in_place(cli, album: Path) -> None:
    ran = cli("enhance", "album", "out", "--no-backup")
    assert ran.status == 2
    assert "--no-backup has no meaning without --in-place" in ran.err


@pytest.mark.parametrize("to", ["report.json", "-"])
def test_json(cli, album: Path, to: str) -> None:
    (album / "meadow.png").unlink()
    ran = cli("undo", "album", "--json", to)
    told = json.loads(ran.out if to == "-" else Path(to).read_text())
    assert problems(told, strict_schema()) == []
    assert told["verdict"] in {"all_done", "some_failed"}
    assert (told["schema"], told["command"], told["failed"], told["dry_run"]) == (1, "undo", [], False)
    assert told["outcomes"] == {"brought_back": 1, "unchanged": 0, "changed": 0, "failed": 0}
    assert told["pictures"] == [{"path": "album/portrait.jpg", "outcome": "brought_back", "set_aside": []}]


def test_it_imports_neither_torch_nor_opencv(tmp_path: Path) -> None:
    code = f"""
import sys
from gpen_fast.cli.app import main
sys.argv = ["gpen-fast", "undo", {str(tmp_path)!r}]
main.__globals__["app"](standalone_mode=False)
print([name for name in ("torch", "numpy", "cv2", "PIL") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_killed_runs_can_be_undone(tmp_path: Path) -> None:
    """A reduced form of benchmarks/kills.py."""
    script = [sys.executable, str(ROOT / "benchmarks/kills.py")]
    done = subprocess.run(
        [*script, "--tries", "3", "--pictures", "12", "--seed", "3"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "kills of a run: 4\n" in done.stdout
    assert "kills of an undo: 1\n" in done.stdout
    assert "every original came back with its bytes, time and mode" in done.stdout
