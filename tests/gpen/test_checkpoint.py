"""Checkpoints: every accepted form loads, every bad one is refused with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from helpers import TINY
from safetensors.torch import save_file

from gpen_fast.errors import CheckpointError
from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build, random_state, read_declared


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return random_state(TINY)


def save(state: object, path: Path) -> Path:
    torch.save(state, path)
    return path


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_every_suffix_loads_the_same_network(
    tmp_path: Path, state: dict[str, torch.Tensor], suffix: str
) -> None:
    path = tmp_path / f"weights{suffix}"
    save_file(state, path) if suffix == ".safetensors" else save(state, path)
    faces = torch.rand(1, 3, 64, 64) * 2 - 1
    assert torch.equal(load_network(path)(faces), load_network(state)(faces))
    assert torch.equal(load_network(str(path))(faces), load_network(state)(faces))


def test_half_precision_weights_become_float32(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    network = build(save({key: tensor.half() for key, tensor in state.items()}, tmp_path / "half.pth"))
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32}


def test_sub_key(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    both = save({"a": random_state(TINY), "b": state}, tmp_path / "both.pth")
    assert build(both, key="b").config == TINY
    with pytest.raises(
        CheckpointError, match=r"both\.pth: several state dicts: a, b\. Name one with load_netw"
    ):
        build(both)
    with pytest.raises(CheckpointError, match=r"no state dict under key 'ema'\. The file has: a, b\."):
        build(both, key="ema")


def test_training_checkpoint_gives_its_averaged_generator(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    other = {key: tensor + 1 for key, tensor in state.items()}
    critic = {"conv.weight": torch.zeros(3)}
    path = save(
        {"g": other, "d": critic, "g_ema": state, "g_optim": {"state": {}, "lr": 1}}, tmp_path / "train.pth"
    )
    assert torch.equal(build(path).ecd0[0][0].weight, state["ecd0.0.0.weight"])
    noted = save({**state, "config": {"size": 64}, "step": 7}, tmp_path / "noted.pth")
    assert build(noted).config == TINY
    only = save({"d": critic, "model": state}, tmp_path / "only.pth")
    assert build(only).config == TINY


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><html>", b"version https://git-lfs.github.com/spec/v1\n", b"x"]
)
def test_what_is_no_checkpoint_at_all_is_shown(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "page.pth").write_bytes(data)
    with pytest.raises(
        CheckpointError, match=r"page\.pth: not a checkpoint: it begins with b'.*Fetch it again"
    ):
        build(tmp_path / "page.pth")


def test_single_nested_state_dict_needs_no_key(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    assert build(save({"g_ema": state}, tmp_path / "one.pth")).config == TINY


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.target}",)


def test_pickle_that_carries_code_is_refused_and_nothing_runs(tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    evil = save({"generator.input.input": Evil(trace)}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match=r"evil\.pth: refused.*carries code; none of it was run"):
        build(evil)
    assert not trace.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_truncated_file_is_refused(
    tmp_path: Path, state: dict[str, torch.Tensor], suffix: str, keep: int
) -> None:
    whole = tmp_path / f"whole{suffix}"
    save_file(state, whole) if suffix == ".safetensors" else save(state, whole)
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=rf"cut\{suffix}.*Fetch it again"):
        build(cut)


def test_missing_file_and_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.pth: no such file\. Accepted: a \.pth"):
        build(tmp_path / "none.pth")
    (tmp_path / "model.onnx").write_bytes(b"x")
    with pytest.raises(
        CheckpointError, match=r"unknown kind '\.onnx'\. Accepted: \.pth, \.pt, \.safetensors"
    ):
        build(tmp_path / "model.onnx")


def test_other_network_is_refused_by_name(tmp_path: Path) -> None:
    other = save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"not a GPEN generator.*conv\.weight"):
        build(other)
    with pytest.raises(CheckpointError, match="holds a list"):
        build(save([1, 2], tmp_path / "list.pth"))


def test_wrong_missing_and_surplus_tensors_are_named(state: dict[str, torch.Tensor]) -> None:
    wrong = dict(state) | {"ecd2.0.1.weight": torch.zeros(64, 64, 1, 1)}
    with pytest.raises(
        CheckpointError, match=r"first ecd2\.0\.1\.weight: got \(64, 64, 1, 1\), expected \(64, 64, 3"
    ):
        build(wrong)
    missing = {key: tensor for key, tensor in state.items() if key != "ecd2.0.2.bias"}
    with pytest.raises(CheckpointError, match=r"1 tensors.*ecd2\.0\.2\.bias: got nothing"):
        build(missing)
    with pytest.raises(CheckpointError, match=r"extra: got \(1,\), expected no such tensor"):
        build(dict(state) | {"extra": torch.zeros(1)})


def test_nan_weights_are_refused(state: dict[str, torch.Tensor]) -> None:
    bad = {key: tensor.clone() for key, tensor in state.items()}
    bad["final_linear.0.weight"][3, 5] = float("nan")
    with pytest.raises(CheckpointError, match=r"NaN or infinity, first final_linear\.0\.weight"):
        build(bad)


def test_declared_facts(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "declared.safetensors"
    save_file(state, path, metadata={"template": "ffhq"})
    assert read_declared(path) == {"template": "ffhq"}
    assert read_declared(save(state, tmp_path / "none.pth")) == {}
