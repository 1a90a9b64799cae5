"""`gpen-fast live` as a user runs it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from clips import clip_pixels
from videos import Made, write_video

from gpen_fast.cli import live as live_command

FAST = {"preset": "ultrafast"}


@pytest.fixture
def live(cli, tiny_weights: Path):
    def run(*arguments: object, command: tuple[str, ...] = ("live", "--out", "none")):
        network = (
            "--weights", tiny_weights, "--detector", "lite", "--precision", "fp32", "--keep-detail", "0",
            "--max-latency", "20000", "--target-fps", "2",
        )  # fmt: skip
        return cli(*command, *arguments, *network)

    return run


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mp4", clip_pixels("pan", 10, 120), Made(options=FAST))


def test_a_file_plays_and_the_table_tells_how_it_went(live, clip: Path, tmp_path: Path) -> None:
    ran = live(clip, "--json", tmp_path / "r.json", "--csv", tmp_path / "r.csv")
    assert (ran.status, ran.complaints) == (0, "")
    made = json.loads((tmp_path / "r.json").read_text())
    assert made["command"] == "live"
    figures = made["live"]
    assert figures["delivered"] + figures["dropped"] == 10
    assert (figures["source_fps"], figures["target_fps"], figures["max_latency_ms"]) == (25.0, 2.0, 20000.0)
    assert set(figures["latency_ms"]) == {"p50", "p95", "p99", "max"}
    assert sum(figures["steps"].values()) == pytest.approx(figures["duration_s"], abs=0.01)
    out = " ".join(ran.out.split())
    for words in ("track", f"frames: {figures['delivered']} delivered, {figures['dropped']} dropped",
                  "latency: p50 ", "20000 allowed", "quality step seconds share ", "tracks: 1"):  # fmt: skip
        assert words in out
    assert figures["verdict"] in out
    calls = {row["name"]: row["count"] for row in made["stages"]}
    assert (calls["decode"], calls["encode"]) == (10, figures["delivered"])
    assert max(map(len, ran.out.splitlines())) <= 80
    assert (tmp_path / "r.csv").read_text().splitlines()[1].startswith("decode,")


def test_a_clip_without_faces_passes_through(live, tmp_path: Path) -> None:
    grey = [np.full((90, 160, 3), 90, np.uint8)] * 5
    ran = live(write_video(tmp_path / "grey.mp4", grey, Made(options=FAST)))
    assert ran.status == 0
    assert "faces: 0 restored; tracks: 0" in ran.out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--detector", "none"), "live finds the faces of each frame"),
        (("--max-latency", "0"), "max latency 0: accepted is above 0 milliseconds"),
        (("--weights", "random:GPEN-BFR-256"), "random weights restore nothing: live refuses them"),
        (("--camera-size", "big"), "camera size 'big': accepted is width x height"),
    ],
)
def test_wrong_flags_are_refused(cli, clip: Path, flags: tuple[str, ...], words: str) -> None:
    ran = cli("live", clip, "--out", "none", *flags)
    assert ran.status == 2
    assert words in ran.err


def test_a_file_that_does_not_exist_is_told_before_anything_is_loaded(cli, tmp_path: Path) -> None:
    ran = cli("live", tmp_path / "absent.mp4", "--out", "none")
    assert ran.status == 2
    assert "absent.mp4" in ran.err
    assert "no such file" in ran.err
    assert "loading" not in ran.err


def test_a_file_that_is_no_video_is_named(cli, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video at all")
    ran = cli("live", tmp_path / "notes.txt", "--out", "none")
    assert ran.status == 2
    assert ran.err.startswith(f"error: {tmp_path}/notes.txt: no video that can be read")


def test_without_pyav_one_sentence_says_how_to_install_it(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        live_command.importlib.util, "find_spec", lambda name: None if name == "av" else find(name)
    )
    ran = cli("live", "0")
    assert ran.status == 2
    assert ran.err.startswith("error: live needs the package av, which is not installed. Try: pip install ")
