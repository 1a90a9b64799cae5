"""`--save-landmarks` and `--landmarks` as a user runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import EXAMPLES, write_photo

from gpen_fast.run import enhance as enhance_run
from gpen_fast.stages.detect import lite

_ONE_FILE = "f.jsonl: is the file of --{} too. Name two files."


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two portraits and a picture without faces."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    shutil.copy(EXAMPLES / "astronaut.png", "in")
    shutil.copy(EXAMPLES / "grace_hopper.jpg", "in")
    write_photo(tmp_path / "in/meadow.png")
    return tmp_path


def no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError("a detector was opened")

    monkeypatch.setattr(lite, "create", fail)


def test_a_second_run_detects_nothing_and_gives_the_same(
    cli, album: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = ["--weights", tiny_weights, "--deterministic"]
    first = cli("enhance", "in", "one", *exact, "--save-landmarks", "faces.jsonl")
    assert first.status == 0
    assert "landmarks of 3 pictures saved to faces.jsonl\n" in first.out
    Path("in/astronaut.png").rename("in/renamed.png")
    Path("one/astronaut.png").rename("one/renamed.png")
    no_detector(monkeypatch)
    second = cli("enhance", "in", "two", *exact, "--landmarks", "faces.jsonl", "--json", "report.json")
    assert second.status == 0
    assert "landmarks: all 3 from faces.jsonl, none searched\n" in second.out
    assert "| detector not needed |" in second.out
    assert "2 restored, 1 no face (unchanged)" in second.out
    for name in ("renamed.png", "grace_hopper.png", "meadow.png"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()
    report = json.loads(Path("report.json").read_text())
    assert report["landmarks"]["used"] == 3
    assert next(row for row in report["stages"] if row["name"] == "detect")["count"] == 0


def test_everything_found_is_kept_whatever_is_chosen(cli, album: Path, tiny_weights: Path) -> None:
    arguments = ["--weights", tiny_weights, "--min-face", "2000", "--save-landmarks", "faces.jsonl"]
    assert (
        "0 restored, 1 no face (unchanged), 2 with all faces left out"
        in cli("enhance", "in", "one", *arguments).out
    )
    ran = cli("enhance", "in", "two", "--weights", tiny_weights, "--landmarks", "faces.jsonl")
    assert "2 restored, 1 no face" in ran.out


def test_a_higher_threshold_leaves_the_kept_faces_as_they_are(cli, album: Path, tiny_weights: Path) -> None:
    cli("enhance", "in", "one", "--weights", tiny_weights, "--save-landmarks", "faces.jsonl")
    kept = Path("faces.jsonl").read_bytes()
    arguments = ["--weights", tiny_weights, "--landmarks", "faces.jsonl", "--save-landmarks", "faces.jsonl"]
    assert (
        "0 restored, 1 no face (unchanged), 2 with all faces left out"
        in cli("enhance", "in", "two", *arguments, "--detect-threshold", "1").out
    )
    assert Path("faces.jsonl").read_bytes() == kept
    assert "2 restored, 1 no face" in cli("enhance", "in", "three", *arguments).out


def test_what_is_not_known_is_searched_and_what_is_of_no_picture_counted(
    cli, album: Path, tiny_weights: Path
) -> None:
    cli("enhance", "in", "one", "--weights", tiny_weights, "--save-landmarks", "faces.jsonl")
    Path("in/meadow.png").unlink()
    shutil.copy(EXAMPLES / "grace_hopper-degraded.jpg", "in/new.jpg")
    arguments = ["--weights", tiny_weights, "--landmarks", "faces.jsonl", "--save-landmarks", "faces.jsonl"]
    ran = cli("enhance", "in", "two", *arguments)
    assert "landmarks: 2 from faces.jsonl, 1 searched\n" in ran.out
    assert "1 entry matched no input\n" in ran.out
    assert "3 restored" in ran.out
    assert len(Path("faces.jsonl").read_text().splitlines()) == 4
    ran = cli("enhance", "in", "three", *arguments[:4], "--detect-size", "full")
    assert "landmarks: 0 from faces.jsonl, 3 searched\n" in ran.out
    assert "3 searched again: the file has them by another detector, size or threshold" in " ".join(
        ran.out.split()
    )


def test_landmarks_that_cannot_be_written_cost_no_picture_and_no_report(
    cli, album: Path, tiny_weights: Path
) -> None:
    Path("faces.jsonl").touch(0o400)
    arguments = ["--weights", tiny_weights, "--save-landmarks", "faces.jsonl", "--json", "report.json"]
    ran = cli("enhance", "in", "out", *arguments)
    assert ran.status == 1
    assert "2 restored, 1 no face (unchanged), 0 failed" in ran.out
    assert "failed faces.jsonl: cannot be written: faces.jsonl is read-only" in ran.err
    report = json.loads(Path("report.json").read_text())
    assert [failure["path"] for failure in report["failed"]] == ["faces.jsonl"]
    assert report["landmarks"]["saved"] == 0


def test_pictures_of_one_content_are_counted_each(cli, album: Path, tiny_weights: Path) -> None:
    cli("enhance", "in", "one", "--weights", tiny_weights, "--save-landmarks", "faces.jsonl")
    shutil.copy("in/astronaut.png", "in/copy.png")
    Path("in/torn.jpg").write_bytes(b"torn")
    ran = cli("enhance", "in", "two", "--weights", tiny_weights, "--landmarks", "faces.jsonl")
    assert "3 restored, 1 no face (unchanged), 1 failed" in ran.out
    assert "landmarks: all 4 from faces.jsonl, none searched\n" in ran.out


def test_a_bad_line_ends_the_run_before_it_begins(cli, album: Path, tiny_weights: Path) -> None:
    Path("faces.jsonl").write_text('{"picture": "x"}\n')
    for flag in ("--landmarks", "--save-landmarks"):
        ran = cli("enhance", "in", "out", "--weights", tiny_weights, flag, "faces.jsonl")
        assert ran.status == 2
        assert ran.complaints.startswith("error: faces.jsonl, line 1: picture 'x': accepted is sha256:")
        assert not list(Path().glob("out/*"))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--landmarks", "none.jsonl"], "none.jsonl: no such file or directory"),
        (["--save-landmarks", "in"], "--save-landmarks in: is a folder. Name a .jsonl file"),
        (["--save-landmarks", "in/astronaut.png"], "is a picture. Name a .jsonl file"),
        (["--save-landmarks", "/dev/null"], "--save-landmarks /dev/null: is a device. Name a .jsonl file"),
        (["--save-landmarks", "n" * 300], "n: file name too long. Name a .jsonl file"),
        (["--save-landmarks", "f.jsonl", "--json", "./in/../f.jsonl"], _ONE_FILE.format("save-landmarks")),
        (["--landmarks", "f.jsonl", "--json", "f.jsonl"], _ONE_FILE.format("landmarks")),
        (["--save-landmarks", "faces.jsonl", "--skip-detect"], "has nothing to save without detection"),
        (
            ["--landmarks", "faces.jsonl", "--skip-detect"],
            "without detection there is no use for detect-size",
        ),
        (["--detect-size", "half"], "detect size 'half': accepted are auto, full, or pixels from 64 up"),
        (["--detect-size", "20"], "detect size 20: accepted are auto, full, or pixels from 64 up"),
        (["--detect-threshold", "1.5"], "detect threshold 1.5: accepted is above 0, up to 1"),
        (
            ["--detector", "retinaface"],
            "no weights for retinaface-resnet50: detection_Resnet50_Final.pth is not in",
        ),
    ],
)
def test_wrong_usage_is_one_sentence(
    cli, album: Path, tiny_weights: Path, flags: list[str], words: str
) -> None:
    ran = cli("enhance", "in", "out", "--weights", tiny_weights, *flags)
    assert ran.status == 2
    assert words in " ".join(ran.err.split())


def test_a_detector_that_is_missing_fails_only_the_pictures_that_need_it(
    cli, album: Path, tiny_weights: Path
) -> None:
    cli("enhance", "in", "one", "--weights", tiny_weights, "--save-landmarks", "faces.jsonl")
    Path("faces.jsonl").write_text(Path("faces.jsonl").read_text().replace('"lite"', '"yunet"'))
    shutil.copy(EXAMPLES / "grace_hopper-degraded.jpg", "in/new.jpg")
    arguments = ["--weights", tiny_weights, "--landmarks", "faces.jsonl", "--detector", "yunet"]
    ran = cli("enhance", "in", "two", *arguments)
    assert ran.status == 1
    assert "2 restored, 1 no face (unchanged), 1 failed" in ran.out
    assert "failed in/new.jpg: no weights for yunet: " in ran.err
    ran = cli("enhance", "in", "three", *arguments[:4], "--detector", "yunnet")
    assert ran.status == 2
    assert "detector 'yunnet' does not exist" in ran.err
    Path("w").mkdir()
    Path("w/face_detection_yunet_2023mar.onnx").write_bytes(b"<html>")
    ran = cli("enhance", "in", "four", *arguments, "--weights-dir", "w")
    assert ran.status == 2
    assert "face_detection_yunet_2023mar.onnx is not the expected yunet" in ran.err
    assert not Path("four").exists()


def test_auto_without_weights_says_what_would_be_better(cli, album: Path, tiny_weights: Path) -> None:
    ran = cli("enhance", "in/astronaut.png", "out.png", "--weights", tiny_weights)
    better = "detector lite ran; a better one: gpen-fast weights pull retinaface-resnet50"
    assert better in ran.out.splitlines()
    ran = cli("enhance", "in/astronaut.png", "other.png", "--weights", tiny_weights, "--detector", "haar")
    assert "a better one" not in ran.out


def test_auto_names_a_wrong_file_of_a_better_detector(
    cli, album: Path, tiny_weights: Path, shared_weights: Callable[[str], None]
) -> None:
    shared_weights("detection_mobilenet0.25_Final.pth")
    Path("w").mkdir()
    Path("w/detection_Resnet50_Final.pth").write_bytes(b"<html>")
    arguments = ["enhance", "in/astronaut.png", "out.png", "--weights", tiny_weights, "--weights-dir", "w"]
    ran = cli(*arguments)
    assert "detector retinaface-mobile" in ran.out
    words = "auto did not use w/detection_Resnet50_Final.pth: its content is not that of retinaface-resnet50."
    assert words in " ".join(ran.out.split())
    assert "passed over" not in cli(*arguments, "--detector", "haar", "--overwrite").out


def test_an_interrupted_run_keeps_what_it_found(
    cli, album: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = enhance_run.Tally.add

    def interrupted(tally: enhance_run.Tally, path: Path, done: object) -> None:
        add(tally, path, done)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(enhance_run.Tally, "add", interrupted)
    ran = cli("enhance", "in", "out", "--weights", tiny_weights, "--save-landmarks", "faces.jsonl")
    assert ran.status != 0
    assert 1 <= len(Path("faces.jsonl").read_text().splitlines()) <= 3
