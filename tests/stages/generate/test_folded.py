"""The folded backend: which form runs, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import relative_l2

from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build
from gpen_fast.stages.generate import folded
from gpen_fast.stages.generate.base import Graphed
from gpen_fast.stages.generate.folded import Folded

CPU = torch.device("cpu")


def test_on_a_cpu_it_holds_no_graphs(tiny_weights: Path) -> None:
    backend = Folded(build(tiny_weights), "fp32", CPU)
    assert isinstance(backend, Graphed)
    backend.expect(4)
    assert backend.relieve(4) is False
    assert backend.notes == []


def test_why_the_fast_form_did_not_run_is_told(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    select_form = folded.select_form

    def noted(*given):
        made = select_form(*given)
        object.__setattr__(made, "note", "no oneDNN here")
        return made

    monkeypatch.setattr(folded, "select_form", noted)
    assert Folded(build(tiny_weights), "fp32", CPU).notes == ["no oneDNN here"]


def test_bf16_is_near_fp32_and_exact_folds_once(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.dtype] = []
    form_without_kernels = folded.form_without_kernels
    monkeypatch.setattr(
        folded,
        "form_without_kernels",
        lambda network, dtype, device: made.append(dtype) or form_without_kernels(network, dtype, device),
    )
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    wanted = load_network(tiny_weights)(faces)
    backend = Folded(build(tiny_weights), "bf16", CPU)
    assert relative_l2(backend(faces), wanted) < 5e-2
    made.clear()
    for _ in range(2):
        assert relative_l2(backend.exact(faces), wanted) < 1e-5
    assert made == [torch.float32]


def test_graphs_can_be_left_out_to_measure_what_they_gain(
    tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def graphs(faces: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a graph was replayed")

    backend = Folded(build(tiny_weights), "fp32", CPU)
    face = torch.rand(1, 3, 64, 64) * 2 - 1
    before = backend(face)
    monkeypatch.setattr(backend, "_graphs", graphs)
    with pytest.raises(AssertionError, match="replayed"):
        backend(face)
    backend.without_graphs()
    assert torch.equal(backend(face), before)
