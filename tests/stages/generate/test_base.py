"""The choice of a backend, and what each computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gpen_fast import plugins
from gpen_fast.errors import DeviceError, PluginError
from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build
from gpen_fast.stages.generate.base import auto_backend, open_backend

CPU = torch.device("cpu")


def test_a_failure_while_a_backend_opens_names_another(
    tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*given: object) -> None:
        raise RuntimeError("Triton Error [CUDA]: an illegal memory access was encountered")

    monkeypatch.setattr("gpen_fast.stages.generate.folded.select_form", lost)
    with pytest.raises(DeviceError, match=r"in backend 'folded' \(Triton Error.*Try --backend eager"):
        open_backend("auto", build(tiny_weights), "fp32", CPU)


def test_auto_is_folded_everywhere() -> None:
    assert {device: auto_backend(device) for device in ("cpu", "cuda")} == {"cpu": "folded", "cuda": "folded"}


@pytest.mark.parametrize(("asked", "got"), [("auto", "folded"), ("folded", "folded"), ("eager", "eager")])
def test_backends_equal_the_network(tiny_weights: Path, asked: str, got: str) -> None:
    backend = open_backend(asked, build(tiny_weights), "fp32", CPU)
    faces = torch.rand(3, 3, 64, 64) * 2 - 1
    assert backend.name == got
    assert backend.size == 64
    assert torch.allclose(backend(faces), load_network(tiny_weights)(faces), atol=1e-5)
    assert torch.equal(backend(faces), backend.exact(faces))


def test_unknown_backend(tiny_weights: Path) -> None:
    with pytest.raises(
        PluginError, match=r"backend 'tensorrt' does not exist\. Accepted are folded, eager, compiled\."
    ):
        open_backend("tensorrt", build(tiny_weights), "fp32", CPU)


def test_a_backend_is_refused_on_a_device_that_its_facts_leave_out(
    tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = plugins.facts("generate")
    facts = {**known, "folded": replace(known["folded"], devices=("cuda",))}
    monkeypatch.setattr("gpen_fast.stages.generate.base.plugins.facts", lambda kind: facts)
    with pytest.raises(
        PluginError, match=r"'folded' runs on cuda, and this runs on cpu\. Try --backend auto"
    ):
        open_backend("folded", build(tiny_weights), "fp32", CPU)
    assert open_backend("auto", build(tiny_weights), "fp32", CPU).name == "eager"
