"""Whole runs, as `python -m gpen_fast.training` does them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from portraits import SIZE, small_config, training_command

from gpen_fast.errors import SettingsError
from gpen_fast.training.data import Pairs, read_faces, read_manifest
from gpen_fast.training.restoring import RestorationTask, RestorationTrainer
from gpen_fast.training.run import LOG, TrainingReport, TrainingRun, train

TOML = """
[network]
size = 32
style_dim = 16
n_mlp = 2
widths = [8, 8, 8, 6]
[run]
steps = 4
batch = 2
precision = "fp32"
save_every = 2
test_every = 2
"""


def test_trains_logs_and_resumes(portraits: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(TOML)
    out = tmp_path / "run"
    told = ("--data", portraits, "--out", out, "--config", config, "--device", "cpu")
    said = training_command("train", *told)
    assert "step 2 " in said
    assert "step 4 " in said
    assert "f4 " in said
    lines = [json.loads(line) for line in (out / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert [row["factor"] for row in lines[1]["rows"]] == [1.5, 3.0, 4.0, 6.0]
    config.write_text(TOML.replace("steps = 4", "steps = 6"))
    assert "step 6 " in (more := training_command("train", *told))
    assert "step 2 " not in more


def test_two_processes_train_as_one_on_both_their_batches(portraits: Path, tmp_path: Path) -> None:
    config = small_config(steps=1, batch=4)
    state = train(
        TrainingRun(RestorationTask(config), portraits, tmp_path / "two", processes=2), lambda what: None
    )
    together = torch.load(state, weights_only=True)["g"]

    faces = read_faces(portraits, read_manifest(portraits, "train"), SIZE)
    pairs = Pairs(faces, 2, config.seed, config.damage, config.variety)
    both = [torch.cat(each) for each in zip(pairs.at(0, 0), pairs.at(0, 1), strict=True)]

    class Both(Pairs):
        def at(self, step: int, rank: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
            return both[0], both[1]

    alone = RestorationTrainer(
        config, Both(faces, 4, config.seed, config.damage, config.variety), torch.device("cpu")
    )
    alone.step()
    for name, tensor in alone.network.state_dict().items():
        assert torch.allclose(tensor, together[name], atol=1e-5), name


def test_a_batch_that_cannot_be_shared_is_refused(portraits: Path) -> None:
    with pytest.raises(SettingsError, match="3 processes: a batch of 2 must divide evenly among them"):
        TrainingRun(RestorationTask(small_config()), portraits, portraits, processes=3)
    with pytest.raises(SettingsError, match="2 processes on cuda: accepted is 1, or --device cpu"):
        TrainingRun(RestorationTask(small_config()), portraits, portraits, processes=2, device="cuda")


def test_the_table_compares_with_the_input(finished: Path, portraits: Path, tmp_path: Path) -> None:
    said = training_command("test", finished, "--data", portraits, "--json", tmp_path / "table.json")
    assert "PSNR" in said
    rows = json.loads((tmp_path / "table.json").read_text())
    assert len(rows) == 4
    assert abs(rows[0]["restored"]["psnr"] - rows[0]["damaged"]["psnr"]) < 6


def test_a_finished_run_has_nothing_to_do(finished: Path, portraits: Path) -> None:
    before, reports = finished.read_bytes(), []
    train(TrainingRun(RestorationTask(small_config(steps=2)), portraits, finished.parent), reports.append)
    assert reports == []
    assert finished.read_bytes() == before


def test_reports_carry_the_mean_loss(portraits: Path, tmp_path: Path) -> None:
    reports: list[TrainingReport] = []
    train(
        TrainingRun(
            RestorationTask(replace(small_config(), save_every=1, test_every=9)), portraits, tmp_path / "r"
        ),
        reports.append,
    )
    assert [what.step for what in reports] == [1, 2, 3, 4]
    assert all(0 < what.loss < 2 and what.pictures_per_second > 0 for what in reports)
    assert [len(what.rows) for what in reports] == [0, 0, 0, 4]
