"""`enhance` without a terminal, as an operator starts it in the evening and reads its log in the morning."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import write_photo

from gpen_fast.measure.report_rows import DeviceRow


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        write_photo(Path(f"in/{number}.png"), height=80, seed=number)
    Path("in/bad.jpg").write_bytes(b"no picture")
    Path("in/notes.txt").write_text("no picture either")
    return tmp_path


def test_start_loading_failures_and_summary_are_lines_in_this_order(
    cli, album: Path, tiny_weights: Path
) -> None:
    Path("in/gone.png").symlink_to("nowhere.png")
    ran = cli("enhance", "in", "out", "--weights", tiny_weights, "--skip-detect", "--keep-detail", "0")
    assert ran.status == 1
    lines = [re.sub(r"^[\d: -]{8,} ", "", line) for line in ran.err.splitlines()]
    assert lines[0].endswith("gpen-fast 0.1.0: 4 pictures to do")
    assert lines[1] == "0 skipped (done already), 1 ignored (not pictures)"
    assert lines[2] == "failed in/gone.png: not a regular file, or a broken link."
    assert lines[3:6] == [
        "loading PyTorch", "opening the detector (none)",
        "finding and checking the network's weights (auto)",
    ]  # fmt: skip
    assert [line for line in lines if line.startswith("failed in/bad.jpg: not a picture")] == lines[-2:-1]
    smaller = "note in/0.png and 2 more: the result is smaller than the picture: --skip-detect resizes it to at most"
    assert lines[-1].startswith(f"{smaller} 64 pixels a side.")
    assert "pictures: 3 restored, 0 no face (unchanged), 2 failed\n" in ran.out
    assert "not a picture:\n  in/notes.txt\n" in ran.out


def test_faces_that_the_flags_leave_out_are_not_called_no_face(cli, album: Path, tiny_weights: Path) -> None:
    from helpers import EXAMPLES

    face = EXAMPLES / "astronaut.png"
    run = ["enhance", face, "out", "--weights", tiny_weights, "--min-face", "2000", "--json", "r.json"]
    ran = cli(*run)
    assert ran.status == 0
    told = " ".join(ran.out.split())
    assert "0 restored, 0 no face (unchanged), 1 with all faces left out (unchanged), 0 failed" in told
    assert "faces: 0 restored, 1 left out by --min-face" in told
    assert "a second" not in told
    made = json.loads(Path("r.json").read_text())
    assert (made["outcomes"]["no_face"], made["left_out"], made["faces_left_out"]) == (1, [str(face)], 1)
    assert (made["restored_per_s"], made["pictures"][0]["faces_found"]) == (None, 1)


def test_the_embedded_network_is_named_for_what_it_does(cli, album: Path) -> None:
    ran = cli("enhance", "in/0.png", "out", "--skip-detect", "--log", "run.log")
    note = "gpen-lite-256 cleans and smooths faces; it does not restore them as GPEN does."
    assert f"\n{note}\n" in ran.out
    assert "pictures: 1 cleaned, " in ran.out
    assert note in Path("run.log").read_text()
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize(("flags", "words"), [
    (["--log", "in"], "error: --log in: is a folder. Name a .log file."),
    (["--log-format", "json"], "error: --log-format needs --log FILE"),
    (["--log", "l", "--log-format", "xml"], "error: log format 'xml': accepted are text, json."),
    (["--log", "l", "--json", "l"], "error: --json l: is the file of --log too. Name two files."),
])  # fmt: skip
def test_wrong_logs_are_refused_before_the_work(cli, album: Path, flags: list[str], words: str) -> None:
    ran = cli("enhance", "in", "out", *flags)
    assert ran.status == 2
    assert words in ran.err
    assert not Path("out").exists()


def test_sigterm_ends_with_the_summary_and_the_next_run_continues(album: Path, tiny_weights: Path) -> None:
    for number in range(3, 200):
        write_photo(Path(f"in/{number}.png"), height=80, seed=number)
    command = [
        sys.executable, "-m", "gpen_fast", "enhance", "in", "out", "--skip-detect", "--weights", str(tiny_weights),
        "--log", "run.jsonl", "--log-format", "json", "--json", "r.json",
    ]  # fmt: skip
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 120
        while not Path("run.jsonl").exists() or Path("run.jsonl").read_text().count("restored") < 3:
            assert time.monotonic() < deadline
            assert run.poll() is None, run.communicate()[0]
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGTERM)
        said, _ = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode == 130, said
    assert "stopping: pictures in the network are finished" in said
    assert "pictures: " in said
    made = json.loads(Path("r.json").read_text())
    assert made["verdict"] == "interrupted"
    assert f"interrupted: {made['not_done']} pictures not done; run again to continue" in said
    outcomes = Counter(row["outcome"] for row in made["pictures"])
    assert len(made["pictures"]) == 202
    assert outcomes["not_done"] == made["not_done"] > 0
    done = {row["input"] for row in made["pictures"] if row["outcome"] == "restored"}
    assert len(list(Path("out").glob("*.*g"))) == len(done)
    again = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False)
    assert again.returncode == 1, again.stderr
    rows = [json.loads(line) for line in Path("run.jsonl").read_text().splitlines()]
    ended = Counter(row["input"] for row in rows if row["outcome"] == "restored")
    assert len(ended) == 200
    assert set(ended.values()) == {1}, "each picture is restored once in the two runs"
    assert {row["input"] for row in rows if row["outcome"] == "skipped"} == done


def test_a_run_that_is_killed_leaves_whole_rows(album: Path, tiny_weights: Path) -> None:
    for number in range(3, 150):
        write_photo(Path(f"in/{number}.png"), height=80, seed=number)
    command = [
        sys.executable, "-m", "gpen_fast", "enhance", "in", "out", "--skip-detect", "--weights", str(tiny_weights),
        "--log", "run.jsonl", "--log-format", "json", "--quiet",
    ]  # fmt: skip
    run = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 120
        while not Path("run.jsonl").exists() or Path("run.jsonl").read_text().count("restored") < 5:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        run.kill()
        run.wait()
    text = Path("run.jsonl").read_text()
    assert text.endswith("\n")
    rows = [json.loads(line) for line in text.splitlines()]
    for row in rows:
        assert row["outcome"] != "restored" or Path(row["output"]).exists()


def test_two_processes_have_a_row_each_and_what_the_network_waited_for(
    cli, album: Path, tiny_weights: Path
) -> None:
    for number in range(3, 9):
        write_photo(Path(f"in/{number}.png"), height=80, seed=number)
    ran = cli(
        "enhance", "in", "out", "--weights", tiny_weights, "--skip-detect", "--keep-detail", "0", "--devices", "cpu:2",
        "--json", "r.json",
    )  # fmt: skip
    assert ran.status == 1, "bad.jpg fails"
    report = json.loads(Path("r.json").read_text())
    assert [row["name"] for row in report["devices"]] == ["cpu:0", "cpu:1"]
    assert sum(row["pictures"] for row in report["devices"]) == 10
    assert re.search(
        r"\ncpu:0 +\d+ +\d+ +\d+%\ncpu:1 +\d+ +\d+ +\d+%\n2 devices, busy \d+% of the wall time\n", ran.out
    )
    assert "\nthe network ran " in ran.out
    assert len(list(Path("out").glob("*.png"))) == 9


def test_a_device_that_failed_is_said_and_is_status_1(
    cli, album: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpen_fast.run import enhance as enhance_run
    from gpen_fast.run import report as reports

    made = reports._devices

    def one_failed(team: object, wall_ms: float) -> list[DeviceRow]:
        first, second = made(team, wall_ms)
        return [first, replace(second, error="the GPU failed in generate (device lost). Try --device cpu.")]

    monkeypatch.setattr(reports, "_devices", one_failed)
    monkeypatch.setattr(enhance_run, "lanes_for", lambda runtime, pictures: 2)
    Path("in/bad.jpg").unlink()
    ran = cli("enhance", "in", "out", "--weights", tiny_weights, "--skip-detect", "--keep-detail", "0")
    assert ran.status == 1
    assert (
        "cpu:1 failed: the GPU failed in generate (device lost). Try --device cpu. The other devices restored its "
        "pictures.\n"
    ) in ran.err.replace("\n", " ").replace("pictures. ", "pictures.\n")
