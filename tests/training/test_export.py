"""Published files hold the averaged weights in fp16, and weights that do not fit are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from portraits import SIZE, training_command

from gpen_fast.errors import CheckpointError
from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import read_declared
from gpen_fast.training.export import export_generator


def test_exports_the_average_in_fp16_with_its_template(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    assert "MB" in training_command("export", finished, out, "--name", "small")
    assert read_declared(out) == {"name": "small", "template": "ffhq", "licence": "MIT"}
    faces = torch.rand(1, 3, SIZE, SIZE) * 2 - 1
    halves, whole = load_network(out)(faces), load_network(finished)(faces)
    assert torch.allclose(halves, whole, atol=5e-3)
    assert not torch.equal(halves, whole)
    assert out.stat().st_size < 0.2 * finished.stat().st_size


def test_weights_beyond_fp16_are_refused(finished: Path, tmp_path: Path) -> None:
    state = torch.load(finished, weights_only=True)
    state["g_ema"]["final_linear.0.weight"][0] = 7e4
    torch.save(state, finished)
    with pytest.raises(CheckpointError, match=r"final_linear.0.weight does not fit fp16"):
        export_generator(finished, tmp_path / "x.safetensors", {})
