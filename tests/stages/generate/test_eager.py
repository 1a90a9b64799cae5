"""The published network in eager mode."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import relative_l2
from torch import Tensor

from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build
from gpen_fast.stages.generate.base import open_backend
from gpen_fast.stages.generate.eager import Eager

CPU = torch.device("cpu")


def test_a_cpu_takes_one_face_per_call(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(tiny_weights)
    sizes: list[int] = []
    forward = network.forward
    monkeypatch.setattr(network, "forward", lambda faces: sizes.append(len(faces)) or forward(faces))
    backend = Eager(network, "fp32", CPU)
    assert backend.default_batch == 1
    assert backend(torch.zeros(3, 3, 64, 64)).shape == (3, 3, 64, 64)
    assert sizes == [1, 1, 1]


def test_bf16_is_near_fp32_and_exact_is_fp32(tiny_weights: Path) -> None:
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    wanted: Tensor = load_network(tiny_weights)(faces)
    backend = Eager(build(tiny_weights), "bf16", CPU)
    got = backend(faces)
    assert got.dtype == torch.float32
    assert 1e-5 < relative_l2(got, wanted) < 5e-2
    assert relative_l2(backend.exact(faces), wanted) < 1e-5


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_eager_on_cuda_is_near_fp32_on_the_cpu(tiny_weights: Path, precision: str) -> None:
    faces = torch.rand(3, 3, 64, 64) * 2 - 1
    backend = open_backend("eager", build(tiny_weights), precision, torch.device("cuda"))
    wanted = load_network(tiny_weights)(faces)
    got = backend(faces.cuda()).cpu()
    assert (got - wanted).norm() / wanted.norm() < {"fp32": 1e-5, "fp16": 1e-2, "bf16": 5e-2}[precision]
