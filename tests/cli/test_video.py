"""`gpen-fast video` as a user runs it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from clips import clip_pixels
from timelines import ReadTimeline
from videos import Made, read_back, write_video

from gpen_fast.cli import video as video_command

FAST = {"preset": "ultrafast"}


@pytest.fixture
def video(cli, tiny_weights: Path):
    def run(*arguments: object):
        network = (
            "--weights",
            tiny_weights,
            "--detector",
            "lite",
            "--precision",
            "fp32",
            "--keep-detail",
            "0",
        )
        return cli("video", *arguments, *network)

    return run


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mp4", clip_pixels("pan", 6, 120), Made(options=FAST, audio=("aac",)))


def test_a_video_is_restored_told_and_then_skipped(video, clip: Path, tmp_path: Path) -> None:
    ran = video(clip, tmp_path / "out.mp4", "--json", tmp_path / "r.json", "--csv", tmp_path / "r.csv")
    assert (ran.status, ran.complaints) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    for words in ("decode", "encode", "frames: 6, 0.24 s", "faces: 6 restored", "videos: 1 restored"):
        assert words in ran.out
    assert (tmp_path / "r.csv").read_text().splitlines()[1].startswith("decode,")
    made = json.loads((tmp_path / "r.json").read_text())
    assert made["command"] == "video"
    assert (made["video"]["frames_in"], made["video"]["frames_out"], made["video"]["duration_s"]) == (
        6,
        6,
        0.24,
    )
    assert made["pictures"][0]["output"] == str(tmp_path / "out.mp4")
    assert read_back(tmp_path / "out.mp4").packets == read_back(clip).packets
    again = video(clip, tmp_path / "out.mp4")
    assert (again.status, again.out) == (
        0,
        "nothing to do: 1 done already. --overwrite restores them again.\n",
    )


def test_a_trace_has_a_lane_for_each_thread_and_every_frame_in_it(video, clip: Path, tmp_path: Path) -> None:
    ran = video(clip, tmp_path / "out.mp4", "--trace", tmp_path / "t.json", "--quiet")
    assert (ran.status, ran.complaints) == (0, "")
    timeline = ReadTimeline(tmp_path / "t.json")
    assert timeline.about["command"] == "video"
    wanted = [f"in.mp4, frame {number}" for number in range(6)]
    lanes = {"decode": "decoder", "load": "tracker", "track": "tracker", "generate": "network", "paste": "main",
             "encode": "encoder"}  # fmt: skip
    for stage, lane in lanes.items():
        slices = [each for each in timeline.lanes["gpen-fast", lane] if each.name == stage]
        named = [name for each in slices for name in each.pictures]
        assert list(dict.fromkeys(named))[:6] == wanted, stage


def test_dry_run_names_what_would_be_done(video, clip: Path, tmp_path: Path) -> None:
    ran = video(clip, tmp_path / "out", "--container", "mkv", "--dry-run")
    assert ran.out.splitlines() == [
        f"{clip} -> {tmp_path}/out/in.mkv (matroska)",
        "1 to do, 0 skipped (done already), 0 ignored (not videos)",
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--detector", "none"), "video finds the faces of each frame"),
        (("--start", "soon"), "start 'soon': accepted are seconds"),
        (("--weights", "random:GPEN-BFR-256"), "random weights restore nothing: video refuses them"),
    ],
)
def test_wrong_flags_are_refused(cli, clip: Path, tmp_path: Path, flags: tuple[str, ...], words: str) -> None:
    ran = cli("video", clip, tmp_path / "o.mp4", *flags)
    assert ran.status == 2
    assert words in ran.err


def test_a_codec_that_the_output_cannot_hold_fails_the_video_in_one_sentence(
    video, clip: Path, tmp_path: Path
) -> None:
    ran = video(clip, tmp_path / "o.webm", "--codec", "h264")
    assert ran.status == 1
    assert ran.complaints == (
        f"failed {clip}: webm cannot hold h264: name OUT with another suffix, or choose another --codec.\n"
    )


def test_without_pyav_one_sentence_says_how_to_install_it(
    cli, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        video_command.importlib.util, "find_spec", lambda name: None if name == "av" else find(name)
    )
    ran = cli("video", clip, tmp_path / "o.mp4")
    assert ran.status == 2
    assert ran.err.startswith("error: video needs the package av, which is not installed. Try: pip install ")
    assert "video" in ran.err
    assert ran.err.count("\n") == 1


def test_no_other_command_imports_pyav(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from gpen_fast.cli.app import app\n"
        "import gpen_fast.run.enhance, gpen_fast.restorer, gpen_fast.doctor.examine\n"
        "assert sys.modules['av'] is None"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
