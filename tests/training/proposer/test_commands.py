"""The proposer's runs, as `python -m gpen_fast.training proposer` does them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from portraits import SIZE, training_command

from gpen_fast.gpen.checkpoint import read_declared
from gpen_fast.stages.detect.cascade.proposer_net import read_proposer
from gpen_fast.training.proposer.task import read_proposer_state
from gpen_fast.training.run import LOG, STATE

TOML = f"""
[network]
widths = [4, 6, 8]
[run]
steps = 2
batch = 2
crop = {SIZE}
save_every = 1
test_every = 2
[canvas]
side = 64
"""


def test_a_run_from_portraits_to_a_published_file(portraits: Path, tmp_path: Path) -> None:
    out, file, config = tmp_path / "run", tmp_path / "net.safetensors", tmp_path / "run.toml"
    config.write_text(TOML)
    told = ("--data", portraits, "--out", out, "--config", config, "--device", "cpu")
    said = training_command("proposer", "train", *told)
    assert "step 1 " in said
    assert "turned up to 45: " in said
    assert [json.loads(line)["step"] for line in (out / LOG).read_text().splitlines()] == [1, 2]
    config.write_text(TOML.replace("steps = 2", "steps = 3"))
    assert "step 1 " not in (more := training_command("proposer", "train", *told))
    assert "step 3 " in more
    assert "kB" in training_command("proposer", "export", out / STATE, file)
    assert read_declared(file) == {"name": "proposer-lite", "licence": "MIT"}
    picture = torch.rand(1, 1, 64, 64) * 255
    assert torch.allclose(read_proposer(file)(picture), read_proposer_state(out / STATE)(picture), atol=2e-2)
    table = tmp_path / "table.json"
    training_command("proposer", "test", file, "--data", portraits, "--config", config, "--json", table)
    assert [row["turn"] for row in json.loads(table.read_text())] == [20, 45]
