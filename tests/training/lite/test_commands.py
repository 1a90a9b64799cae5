"""`python -m gpen_fast.training.lite`, and a run that is killed and resumed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from lite_sets import two_sets, write_set
from typer.testing import CliRunner

from gpen_fast.errors import InputsError
from gpen_fast.training.lite.commands import app
from gpen_fast.training.lite.plan import RunPlan, read_plan, write_plan

RECIPE = """
[network]
size = 32
style_dim = 16
n_mlp = 2
widths = [8, 8, 8, 6]
[run]
steps = 100
batch = 2
precision = "fp32"
save_every = 3
[adversary]
start = 10
width = 4
"""


def lite(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def told(tmp_path: Path, folders: list[Path], out: Path) -> list[object]:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    sets = [word for folder in folders for word in ("--data", folder)]
    return ["train", *sets, "--out", out, "--config", tmp_path / "recipe.toml", "--device", "cpu"]


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """Equal bit for bit: weights, averages, both optimisers, and the step."""
    folders = two_sets(tmp_path)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for out in (killed, whole):
        write_plan(out, RunPlan(60, 2))
    command = told(tmp_path, folders, killed)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "gpen_fast.training.lite", *map(str, command)],
        env=environment,
        stdout=subprocess.DEVNULL,
    ) as process:
        while not (killed / "state.pt").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    at = torch.load(killed / "state.pt", weights_only=True)["step"]
    assert 0 < at < 60
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        lite(*command)
        lite(*told(tmp_path, folders, whole))
    finally:
        torch.set_num_threads(before)
    one, other = (torch.load(out / "state.pt", weights_only=True) for out in (killed, whole))
    assert one["step"] == other["step"] == 60
    torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_measures_plans_and_prints_the_share_of_the_floor(tmp_path: Path) -> None:
    out = tmp_path / "run"
    said = lite(*told(tmp_path, two_sets(tmp_path), out), "--minutes", 0.1)
    assert "without the discriminator:" in said
    assert "with the discriminator:" in said
    assert "% reached" in said
    plan = read_plan(out)
    assert plan is not None
    assert f"step {plan.steps} " in said
    assert "set 2 f4 " in said


def test_a_resumed_run_remembers_the_weights_that_it_started_from(tmp_path: Path) -> None:
    folders, first, out = two_sets(tmp_path), tmp_path / "first", tmp_path / "run"
    write_plan(first, RunPlan(3, 2))
    lite(*told(tmp_path, folders, first))
    start = first / "state.pt"
    assert f"from {start}" in lite(*told(tmp_path, folders, out), "--minutes", 0.1, "--from", start)
    plan = read_plan(out)
    assert plan is not None
    assert plan.start == str(start)
    assert f"from {start}" in lite(*told(tmp_path, folders, out))


def test_lists_the_sources_and_refuses_a_face_without_its_attribution(tmp_path: Path) -> None:
    said = lite("sources", "--data", two_sets(tmp_path)[0])
    assert "| a/a | 4 | CC0-1.0 | none asked for |" in said
    named = write_set(tmp_path / "named", [("b/b", "q", "0.jpg", "train")], "CC-BY-4.0", "no name")
    with pytest.raises(
        InputsError, match=r"asks for an attribution, and its manifest row names none \(1 such"
    ):
        lite("sources", "--data", named)
