"""`gpen-fast profile --live`: a clip through the live path, to nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clips import clip_pixels
from videos import Made, write_video


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mp4", clip_pixels("pan", 8, 120), Made(options={"preset": "ultrafast"}))


def test_a_clip_is_repeated_and_the_published_figures_stand_beside_it(
    cli, clip: Path, tmp_path: Path, tiny_weights: Path
) -> None:
    ran = cli(
        "profile", clip, "--live", "--seconds", 0.6, "--max-latency", 20000, "--weights", tiny_weights,
        "--detector", "lite", "--precision", "fp32", "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert ran.status == 0
    made = json.loads((tmp_path / "r.json").read_text())
    assert made["command"] == "profile"
    figures = made["live"]
    assert 0.5 < figures["duration_s"] < 3
    assert figures["delivered"] + figures["dropped"] > 8
    out = " ".join(ran.out.split())
    assert "published: real-time test of GPEN, A10G 24 GB" in out
    assert "frames a second: 20.7 at 256, 7.3 at 512, 2.4 at 1024 pixels" in out
    assert figures["verdict"] in out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--live", "--sweep", "256"), "--sweep and --live are two measurements: choose one."),
        (("--live", "--budget", "5"), "--budget is for the time of one picture, not for --live"),
        (("--live", "--trace", "t.json"), "--trace is for the plain profile, not for --live"),
        (("--seconds", "5"), "--seconds is for --live, which plays a video: add it."),
        (("--live", "other.mp4"), "--live takes one video, not 2."),
    ],
)
def test_wrong_flags_are_refused(cli, clip: Path, flags: tuple[str, ...], words: str) -> None:
    ran = cli("profile", clip, *flags)
    assert ran.status == 2
    assert words in ran.err
