"""`--trace` as a user meets it: a file that is whole or absent, whatever ends the run."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import EXAMPLES, write_photo
from timelines import ReadTimeline

from gpen_fast import files
from gpen_fast.cli.trace_file import check_trace, trace_file
from gpen_fast.errors import InputsError
from gpen_fast.settings import STAGES


def names(index: int) -> str:
    return f"{index}.jpg"


def test_the_file_appears_when_the_block_ends_however_it_ends(tmp_path: Path) -> None:
    for error in (None, KeyboardInterrupt, SystemExit, ValueError):
        path = tmp_path / f"{error}.json"
        try:
            with trace_file(path, "enhance", names) as trace:
                assert trace.timeline is not None
                assert not path.exists()
                trace.timeline.mark("here")
                if error:
                    raise error
        except BaseException as raised:
            assert type(raised) is error
        read = ReadTimeline(path)
        assert [event["name"] for event in read.events if event["ph"] == "i"] == ["here"]
        assert read.about["command"] == "enhance"
    assert len(list(tmp_path.iterdir())) == 4, "no temporary file stays"


def test_without_the_flag_there_is_no_timeline() -> None:
    with trace_file(None, "enhance", names) as trace:
        assert trace.timeline is None
        trace.close()
    check_trace(None)


def test_a_full_disk_is_one_note_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: files.GrowingFile, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.GrowingFile, "write", full)
    path = tmp_path / "t.json"
    path.write_text("of an earlier run")
    with trace_file(path, "enhance", names) as trace:
        assert trace.timeline is not None
        for number in range(10_000):
            trace.timeline.mark(f"mark {number}")
    assert capsys.readouterr().err == (
        f"note: --trace {path}: no space left on device. There is no timeline of this run.\n"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["t.json"]
    assert path.read_text() == "of an earlier run"


def test_a_folder_that_goes_away_is_one_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "folder/t.json"
    path.parent.mkdir()
    with trace_file(path, "enhance", names):
        for each in path.parent.iterdir():
            each.unlink()
        path.parent.rmdir()
    assert capsys.readouterr().err.startswith(f"note: --trace {path}: no such file or directory")


def test_what_a_killed_run_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gpen-fast-0123456789ab.part").write_text("{")
    monkeypatch.setattr(files, "_YOUNG_S", 0.0)
    with trace_file(tmp_path / "t.json", "enhance", names):
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["t.json"]


def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    cli, tmp_path: Path, tiny_weights: Path
) -> None:
    picture = write_photo(tmp_path / "in/a.png")
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    kept.chmod(0o400)
    same = tmp_path / "same.json"
    for flags, words in (
        (("--trace", tmp_path / "t.png"), "t.png: is a picture. Name a .json file."),
        (("--trace", tmp_path / "none/t.json"), "there is no folder"),
        (("--trace", tmp_path), "is a folder. Name a .json file."),
        (("--trace", kept), "is read-only and not replaced"),
        (("--trace", same, "--json", same), f"{same}: is the file of --trace too. Name two files."),
    ):
        for command in (("enhance", picture, tmp_path / "out"), ("profile", picture)):
            ran = cli(*command, "--weights", tiny_weights, *flags)
            assert ran.status == 2, ran.err
            assert words in " ".join(ran.err.split())
            assert "preparing the network" not in ran.err, "nothing is loaded before"
    assert not (tmp_path / "out").exists()
    assert kept.read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in", "kept.json"]
    with pytest.raises(InputsError, match=r"^--trace /proc/none.json: cannot be written: "):
        check_trace(Path("/proc/none.json"))


def test_enhance_writes_one_and_a_dry_run_none(cli, tmp_path: Path, tiny_weights: Path) -> None:
    folder = tmp_path / "in"
    for name in ("a", "b"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.jpg").write_bytes((EXAMPLES / "grace_hopper-degraded.jpg").read_bytes())
    command = ("enhance", folder, tmp_path / "out", "--weights", tiny_weights, "--trace", tmp_path / "t.json")
    assert cli(*command, "--dry-run").status == 0
    assert not (tmp_path / "t.json").exists()
    assert cli(*command).status == 0
    read = ReadTimeline(tmp_path / "t.json")
    assert read.stages() == {str(folder / f"{name}.jpg"): set(STAGES) for name in ("a", "b")}
    assert read.about["program"].startswith("gpen-fast ")


@pytest.mark.parametrize("command", ["enhance", "profile"])
def test_an_interrupt_leaves_a_whole_file(tmp_path: Path, tiny_weights: Path, command: str) -> None:
    """The first Ctrl-C ends the run in good order; the file holds what was done until then."""
    # More than can be under way at once: those are finished after the interrupt.
    write_photo(tmp_path / "in/000.png")
    for number in range(1, 200):
        shutil.copyfile(tmp_path / "in/000.png", tmp_path / f"in/{number:03d}.png")
    out = [str(tmp_path / "out")] if command == "enhance" else ["--runs", "100000"]
    arguments = ["in", *out, "--weights", str(tiny_weights), "--skip-detect", "--trace", "t.json"]
    arguments += ["--keep-detail", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", _SLOW, command, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        _wait_for(lambda: any(tmp_path.glob(".gpen-fast-*.part")) and _cpu_s(process.pid) > 0)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "interrupted" in err
    read = ReadTimeline(tmp_path / "t.json")
    assert read.overlaps() == []
    assert {"load", "crop", "generate", "save"} <= {each.name for each in read.slices("stage")}
    assert not list(tmp_path.glob(".gpen-fast-*.part"))


# The command line, whose writer takes a tenth of a second longer.
_SLOW = """
import sys, time
from gpen_fast.cli.app import main
from gpen_fast import files
write = files.write_file
def slow(*given, **more):
    time.sleep(0.1)
    write(*given, **more)
files.write_file = slow
sys.argv[0] = "gpen-fast"
main()
"""


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait_for(happened) -> None:  # type: ignore[no-untyped-def]
    for _ in range(1200):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in a minute")
