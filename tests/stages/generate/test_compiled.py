"""The compiled backend: the same function, refused with a sentence where it cannot be."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path

import pytest
import torch
from helpers import relative_l2
from torch import Tensor

from gpen_fast.errors import PluginError
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.stages.generate import compiled
from gpen_fast.stages.generate.base import auto_backend, open_backend

CPU = torch.device("cpu")
SMALLEST = GeneratorConfig(8, style_dim=8, n_mlp=1, widths=(8, 4))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FullGenerator:
    monkeypatch.setattr(compiled, "user_cache", lambda: tmp_path / "cache")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    return build(random_state(SMALLEST))


def exactly(network: FullGenerator, faces: Tensor) -> Tensor:
    with torch.no_grad():
        return copy.deepcopy(network).double()(faces.double())


def test_no_compiler_is_said(network: FullGenerator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(PluginError) as refused:
        open_backend("compiled", network, "fp32", CPU)
    assert "needs a C++ compiler" in str(refused.value)
    assert "try --backend folded" in str(refused.value)


def test_a_named_compiler_that_is_missing_is_said(
    network: FullGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(PluginError, match="no-such-compiler is not installed"):
        open_backend("compiled", network, "fp32", CPU)


def test_a_failing_compiler_is_said(network: FullGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.exc import TorchDynamoException

    def fails(faces: Tensor) -> Tensor:
        raise TorchDynamoException("no space left\nand much more")

    monkeypatch.setattr(torch, "compile", lambda function: fails)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/g++")
    backend = open_backend("compiled", network, "fp32", CPU)
    with pytest.raises(PluginError, match=r"torch.compile failed \(no space left\)\. Try --backend folded"):
        backend(torch.zeros(1, 3, 8, 8))


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
def test_equals_the_reference_and_keeps_its_code(network: FullGenerator, tmp_path: Path) -> None:
    faces = torch.randn(2, 3, 8, 8)
    torch._dynamo.reset()
    backend = open_backend("compiled", network, "fp32", CPU)
    wanted = exactly(network, faces)
    assert relative_l2(backend(faces), wanted) <= 3e-6
    assert relative_l2(backend.exact(faces), wanted) <= 3e-6
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "cache/compiled")
    assert any((tmp_path / "cache/compiled").rglob("*.so"))


def test_auto_never_picks_it() -> None:
    assert "compiled" not in {auto_backend(device) for device in ("cpu", "cuda")}
