"""The proposer: its file, its shapes, and how far a place of its output looks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gpen_fast.errors import CheckpointError
from gpen_fast.stages.detect.cascade.proposer_net import (
    PROPOSER_WIDTHS,
    ProposerNet,
    proposer_widths,
    read_proposer,
)
from gpen_fast.stages.detect.retina.compact import fold_normalisations
from gpen_fast.store.shipped import shipped

PATH = shipped("proposer-lite.safetensors")


def test_the_shipped_network_is_small_and_has_no_gradients() -> None:
    network = read_proposer(PATH)
    assert PATH.stat().st_size < 300_000
    assert proposer_widths(network.state_dict()) == PROPOSER_WIDTHS
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match=r"x\.safetensors: cannot be read as a proposer network"):
        read_proposer(tmp_path / "x.safetensors")
    with pytest.raises(
        CheckpointError, match=r"cannot be read as a proposer network: 'quarter\.0\.0\.weight'"
    ):
        read_proposer(shipped("landmarks-lite.safetensors"))


@pytest.mark.parametrize(("height", "width"), [(64, 96), (61, 90), (1, 1)])
def test_one_place_for_every_eight_pixels(height: int, width: int) -> None:
    values = read_proposer(PATH)(torch.rand(2, 1, height, width) * 255)
    assert values.shape == (2, 5, -(-height // 8), -(-width // 8))


def test_a_place_sees_73_pixels_around_its_own() -> None:
    """Place (8,8) is the pixel (64,64): what lies 36 pixels away changes it, and what lies 37 away does not."""
    network = ProposerNet((4, 4, 4)).eval()
    plain = torch.full((1, 1, 128, 128), 100.0)
    for away, changes in ((36, True), (37, False)):
        for row, column in ((64 + away, 64), (64, 64 - away)):
            picture = plain.clone()
            picture[0, 0, row, column] = 1e6
            same = torch.equal(network(picture)[..., 8, 8], network(plain)[..., 8, 8])
            assert same is not changes


def test_normalisations_fold_into_the_convolutions() -> None:
    trained = ProposerNet((4, 8, 8), normalised=True)
    picture = torch.rand(4, 1, 64, 64) * 255
    trained(picture)  # moves the running means
    wanted = trained.eval()(picture)
    assert torch.allclose(wanted, fold_normalisations(trained)(picture), atol=1e-4)
