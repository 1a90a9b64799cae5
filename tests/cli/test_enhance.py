"""`gpen-fast enhance` as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import BACKEND, EXAMPLES, photo, write_photo
from PIL import Image


def opened(path: str | Path) -> Image.Image:
    """The whole picture, its file closed."""
    with Image.open(path) as image:
        image.load()
        return image


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two portraits, a picture without faces, a text file and a damaged picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in/1984").mkdir(parents=True)
    shutil.copy(EXAMPLES / "astronaut.png", tmp_path / "in")
    shutil.copy(EXAMPLES / "grace_hopper-degraded.jpg", tmp_path / "in/1984/hopper.jpg")
    write_photo(tmp_path / "in/meadow.png")
    (tmp_path / "in/notes.txt").write_text("x")
    (tmp_path / "in/torn.jpg").write_bytes((EXAMPLES / "grace_hopper.jpg").read_bytes()[:3000])
    return tmp_path


def test_folder_is_restored_and_every_input_accounted_for(cli, album: Path, tiny_weights: Path) -> None:
    ran = cli("enhance", "in", "out", "--weights", tiny_weights, "--json", "report.json")
    assert ran.status == 1
    assert sorted(str(p.relative_to("out")) for p in Path("out").rglob("*.png")) == [
        "1984/hopper.png", "astronaut.png", "meadow.png",
    ]  # fmt: skip
    for stage in ("load", "detect", "align", "crop", "generate", "paste", "save"):
        assert f"\n{stage} " in f"\n{ran.out}"
    assert "2 restored, 1 no face (unchanged), 1 failed\n" in ran.out
    assert "\n0 skipped (done already), 1 ignored (not pictures)\n" in ran.out
    assert f"custom-64 ({BACKEND}) | detector lite" in ran.out
    assert "failed in/torn.jpg: damaged: " in ran.err
    assert max(map(len, ran.out.splitlines())) <= 80
    assert Path("out/meadow.png").read_bytes() == Path("in/meadow.png").read_bytes()
    report = json.loads(Path("report.json").read_text())
    assert report["outcomes"] == {"restored": 2, "no_face": 1, "ignored": 1, "skipped": 0, "failed": 1}
    assert report["failed"][0]["path"] == "in/torn.jpg"
    assert report["faces"] == 2
    assert report["no_face"] == ["in/meadow.png"]
    assert report["not_done"] == 0
    assert report["overlap_factor"] > 0
    assert report["bound_by"] in {"readers", "device", "writers"}
    assert report["first_call_ms"] > 0
    assert [weights["name"] for weights in report["weights"]][1:] == ["lite"]


def test_second_run_goes_on_where_the_first_ended(cli, album: Path, tiny_weights: Path) -> None:
    Path("in/torn.jpg").unlink()
    assert cli("enhance", "in", "out", "--weights", tiny_weights).status == 0
    before = Path("out/astronaut.png").stat().st_mtime_ns
    write_photo(album / "in/new.png")
    ran = cli("enhance", "in", "out", "--weights", tiny_weights)
    assert ran.status == 0
    assert "3 skipped (done already)" in ran.out
    assert Path("out/new.png").exists()
    assert Path("out/astronaut.png").stat().st_mtime_ns == before
    ran = cli("enhance", "in", "out", "--weights", "not-even-looked-for.pth")
    assert ran.status == 0
    assert (
        "nothing to do: 4 skipped (done already), 1 ignored (not pictures)\n--overwrite restores again"
        in ran.out
    )
    cli("enhance", "in", "out", "--weights", tiny_weights, "--overwrite")
    assert Path("out/astronaut.png").stat().st_mtime_ns > before


def test_skip_detect_with_half_precision(cli, album: Path, tiny_weights: Path) -> None:
    ran = cli(
        "enhance",
        "in/astronaut.png",
        "out",
        "--fp16",
        "--skip-detect",
        "--weights",
        tiny_weights,
        "--device",
        "cpu",
    )
    assert ran.status == 0
    for stage in ("detect", "align", "paste"):
        row = next(line for line in ran.out.splitlines() if line.startswith(stage))
        assert row.split() == [stage, "skipped"]
    assert "(fp16 needs CUDA)" in ran.out
    assert opened("out/astronaut.png").size == (64, 64)


def test_one_file_in_another_format(cli, album: Path, tiny_weights: Path) -> None:
    assert (
        cli("enhance", "in/astronaut.png", "done.jpg", "--format", "jpeg", "--weights", tiny_weights).status
        == 0
    )
    assert opened("done.jpg").format == "JPEG"
    ran = cli("enhance", "in/astronaut.png", "again.jpg", "--format", "webp", "--weights", tiny_weights)
    assert ran.status == 2
    assert "error: --format webp and the output name again.jpg contradict each other" in ran.err


def test_no_face_is_decoded_where_the_format_changes(cli, album: Path, tiny_weights: Path) -> None:
    cli("enhance", "in/meadow.png", "out", "--format", "webp", "--weights", tiny_weights)
    written = np.asarray(Image.open("out/meadow.webp")).astype(int)
    assert np.abs(written - photo()).mean() < 12


def test_report_is_written_also_where_nothing_is_to_do(cli, album: Path) -> None:
    write_photo(album / "out/meadow.png")
    assert cli("enhance", "in/meadow.png", "out", "--json", "r.json").status == 0
    assert json.loads(Path("r.json").read_text())["outcomes"]["skipped"] == 1


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("in", "--json in: is a folder. Name a .json file."),
        ("in/meadow.png", "--json in/meadow.png: is a picture. Name a .json file."),
        ("no/r.json", "--json no/r.json: there is no folder no. Make it first."),
        ("/dev/null", "--json /dev/null: is a device. Name a .json file."),
        ("n" * 300, "n: file name too long. Name a .json file."),
    ],
)
def test_report_that_cannot_be_written_is_refused_before_the_work(
    cli, album: Path, target: str, words: str
) -> None:
    before = (album / "in/meadow.png").read_bytes()
    ran = cli("enhance", "in", "out", "--json", target)
    assert ran.status == 2
    assert words in ran.err
    assert (album / "in/meadow.png").read_bytes() == before


def test_notes_and_what_cannot_be_read(cli, album: Path, tiny_weights: Path) -> None:
    pages = [Image.fromarray(photo(seed=i)) for i in range(2)]
    pages[0].save(album / "in/pages.tif", save_all=True, append_images=pages[1:])
    (album / "in/gone.png").symlink_to(album / "nowhere.png")
    ran = cli("enhance", "in", "out", "--weights", tiny_weights, "--json", "r.json", "--keep-detail", "0")
    assert ran.status == 1
    assert "note in/pages.tif: the first of its 2 pages or frames only." in ran.err
    assert "failed in/gone.png: not a regular file, or a broken link." in ran.err
    report = json.loads(Path("r.json").read_text())
    assert report["notes"][0]["path"] == "in/pages.tif"
    assert report["outcomes"]["failed"] == 2


def test_only_failures_are_named_without_weights(cli, album: Path) -> None:
    (album / "gone.png").symlink_to(album / "nowhere.png")
    ran = cli("enhance", "gone.png", "out", "--json", "r.json")
    assert ran.status == 1
    assert "failed gone.png: not a regular file" in ran.err
    assert json.loads(Path("r.json").read_text())["outcomes"]["failed"] == 1


def test_faces_that_cannot_be_saved_leave_no_result_behind(cli, album: Path, tiny_weights: Path) -> None:
    (album / "out").mkdir()
    (album / "out/astronaut.png.faces").write_text("in the way")
    command = ["enhance", "in/astronaut.png", "out", "--save-faces", "--weights", tiny_weights]
    assert cli(*command).status == 1
    assert not Path("out/astronaut.png").exists()
    (album / "out/astronaut.png.faces").unlink()
    assert cli(*command).status == 0


def test_name_that_is_no_text(album: Path) -> None:
    shutil.copy("in/meadow.png", os.fsdecode(b"in/caf\xe9.png"))
    command = [sys.executable, "-m", "gpen_fast", "enhance", "in", "out", "--dry-run"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "caf\\udce9.png" in done.stdout


def test_saved_faces(cli, album: Path, tiny_weights: Path) -> None:
    write_photo(album / "out/astronaut.png.faces/007-crop.png")  # of an earlier run that found more
    cli("enhance", "in/astronaut.png", "out", "--save-faces", "--weights", tiny_weights)
    names = sorted(p.name for p in Path("out/astronaut.png.faces").iterdir())
    assert names == ["000-crop.png", "000-restored.png"]
    assert opened("out/astronaut.png.faces/000-crop.png").size == (64, 64)


def test_strength_zero_keeps_every_pixel(cli, album: Path, tiny_weights: Path) -> None:
    cli("enhance", "in/astronaut.png", "out", "--strength", "0", "--weights", tiny_weights)
    assert np.array_equal(
        np.asarray(Image.open("out/astronaut.png")), np.asarray(Image.open("in/astronaut.png"))
    )


def test_dry_run_writes_nothing(cli, album: Path) -> None:
    ran = cli("enhance", "in", "out", "--dry-run")
    assert ran.status == 0
    assert "in/1984/hopper.jpg -> out/1984/hopper.png" in ran.out
    assert "4 to do, 0 skipped (done already), 1 ignored (not pictures)" in ran.out
    assert not Path("out").exists()


def test_quiet_says_failures_only(cli, album: Path, tiny_weights: Path) -> None:
    ran = cli("enhance", "in", "out", "--quiet", "--weights", tiny_weights, "--keep-detail", "0")
    assert ran.out == ""
    assert ran.err.splitlines() == [next(line for line in ran.err.splitlines() if "torn.jpg" in line)]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--weights", "random:gpen-bfr-256"], "random weights restore nothing: enhance refuses them"),
        (["--skip-detect", "--detector", "haar"], "--skip-detect and --detector haar contradict each other"),
        (["--fp16", "--precision", "fp32"], "--fp16 and --precision fp32 contradict each other"),
        (["--precision", "int8"], "precision 'int8': accepted are auto, fp32, tf32, bf16, fp16"),
        (
            ["--precision", "fp16", "--device", "cpu"],
            "precision fp16 needs CUDA, and this runs on cpu. Try --precision",
        ),
        (["--device", "tpu"], "device 'tpu': accepted are auto, cpu, cuda and cuda:N"),
        (
            ["--detector", "yolo"],
            "detector 'yolo' does not exist. Did you mean 'yoloface'? Accepted are retinaface,",
        ),
        (
            ["--backend", "tensorrt"],
            "backend 'tensorrt' does not exist. Accepted are folded, eager, compiled.",
        ),
        (["--format", "gif"], "format 'gif': accepted are jpg, png, tif, webp, same"),
        (["--only-largest", "--only-center"], "only-largest and only-center contradict each other"),
        (["--model", "gpen-bfr-512"], "no weights for gpen-bfr-512: GPEN-BFR-512.pth is not in"),
        (["--weights", "none.pth"], "weights 'none.pth': no such file"),
        (["--strength", "2"], "Invalid value for '--strength'"),
        (["--turbo"], "No such option: --turbo"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(
    cli, album: Path, tiny_weights: Path, flags: list[str], words: str
) -> None:
    weights = [] if "--weights" in flags or "--model" in flags else ["--weights", tiny_weights]
    ran = cli("enhance", "in", "out", *weights, *flags)
    assert ran.status == 2
    assert words in " ".join(ran.err.replace("│", " ").split())
    assert "Traceback" not in ran.err
    assert not Path("out").exists()


def test_named_model_must_be_the_files_own(cli, album: Path, tiny_weights: Path) -> None:
    ran = cli("enhance", "in", "out", "--model", "gpen-bfr-512", "--weights", tiny_weights)
    assert ran.status == 2
    assert "holds custom-64, but gpen-bfr-512 was asked for" in ran.err


@pytest.mark.parametrize(("asked", "got"), [("3", {3}), ("auto", {1, 2, 4, 8, 16, 32, 64})])
def test_the_batch_size_is_a_number_or_measured(
    cli, album: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch, asked: str, got: set[int]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(album / "cache"))
    ran = cli(
        "enhance", "in/astronaut.png", "out", "--weights", tiny_weights, "--batch-size", asked,
        "--json", "r.json",
    )  # fmt: skip
    assert ran.status == 0
    assert json.loads(Path("r.json").read_text())["settings"]["batch_size"] in got


def test_a_failure_of_the_device_in_detection_is_one_error(
    cli, album: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def lost(detector: object, frames: list[object]) -> None:
        calls.append(len(frames))
        raise RuntimeError("CUDA error: device lost\nCompile with ...")

    monkeypatch.setattr("gpen_fast.run.pipeline.find_all", lost)
    monkeypatch.setattr("gpen_fast.stages.detect.lite.LiteDetector.on_host", False)
    ran = cli("enhance", "in", "out", "--weights", tiny_weights, "--devices", "cpu:1")
    assert ran.status == 2
    assert ran.complaints == "error: the GPU failed in detect (CUDA error: device lost). Try --device cpu.\n"
    assert calls == [1]


def test_weights_are_found_in_the_named_folder(cli, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from gpen_fast.gpen.checkpoint import random_state
    from gpen_fast.store.published import PUBLISHED

    (album / "mine").mkdir()
    torch.save(random_state(PUBLISHED["gpen-bfr-256"].config), album / "mine/GPEN-BFR-256.pth")
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(album / "mine"))
    ran = cli("enhance", "in/astronaut.png", "out")
    assert ran.status == 0
    assert f"gpen-bfr-256 ({BACKEND})" in ran.out


def test_interrupt_keeps_what_is_finished(tmp_path: Path, tiny_weights: Path) -> None:
    for i in range(400):
        write_photo(tmp_path / f"in/{i:03d}.png", height=80, seed=i)
    command = [
        sys.executable,
        "-m",
        "gpen_fast",
        "enhance",
        "in",
        "out",
        "--skip-detect",
        "--keep-detail",
        "0",
        "--weights",
        str(tiny_weights),
    ]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.glob("out/*.png"))) < 3:
            assert time.monotonic() < deadline, "nothing was written"
            assert run.poll() is None, run.communicate()[0]
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 130, said
    written = sorted(tmp_path.glob("out/*.png"))
    assert 3 <= len(written) < 400
    assert f"{len(written)} restored" in said
    assert "stopping: pictures in the network are finished; Ctrl-C again stops at once" in said
    assert f"interrupted: {400 - len(written)} pictures not done; run again to continue" in said
    assert all(opened(path).size == (64, 64) for path in written), "a half-written file"
    assert not list(tmp_path.glob("out/.*.part"))


def test_interrupt_before_the_first_picture(tmp_path: Path, tiny_weights: Path) -> None:
    write_photo(tmp_path / "in/a.png")
    code = f"""
import os, signal
from gpen_fast.run import runtime
from gpen_fast.cli.start import run_program
runtime.load_runtime = lambda settings: os.kill(os.getpid(), signal.SIGINT)
import sys
sys.argv = ["gpen-fast", "enhance", "in", "out", "--weights", {str(tiny_weights)!r}]
run_program()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr.endswith("interrupted: what was finished is kept\n")
    assert "Traceback" not in done.stderr
