"""The plain profile: every picture is timed, one that fails is named, and nothing ends the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from helpers import EXAMPLES

HOPPER = EXAMPLES / "grace_hopper-degraded.jpg"


def test_a_picture_of_a_mix_that_fails_is_named_and_the_others_are_timed(
    cli, tmp_path: Path, tiny_weights: Path
) -> None:
    for name in ("a.jpg", "c.jpg"):
        shutil.copyfile(HOPPER, tmp_path / name)
    (tmp_path / "b.jpg").write_text("no picture")
    flags = ["--runs", "2", "--warmup", "0", "--weights", tiny_weights, "--json", tmp_path / "r.json"]
    ran = cli("profile", tmp_path, *flags)
    assert ran.status == 1
    assert f"failed {tmp_path / 'b.jpg'}: not a picture that can be read" in ran.complaints
    made = json.loads((tmp_path / "r.json").read_text())
    assert [Path(row["path"]).name for row in made["mix"]] == ["a.jpg", "c.jpg"]
    assert [Path(row["path"]).name for row in made["failed"]] == ["b.jpg"]
    assert made["images"] == 4


def test_where_every_picture_fails_there_is_no_table(cli, tmp_path: Path, tiny_weights: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text("no picture")
    ran = cli("profile", tmp_path, "--weights", tiny_weights, "--json", tmp_path / "r.json")
    assert ran.status == 1
    assert "wall" not in ran.out
    assert not (tmp_path / "r.json").exists()
