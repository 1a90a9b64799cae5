"""The contract of `load_network`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import TINY, reference_input, relative_l2
from networks import NARROW

from gpen_fast import gpen
from gpen_fast.device.precision import cpu_has_bf16
from gpen_fast.errors import DeviceError, PictureError, SettingsError
from gpen_fast.gpen import load, load_network
from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.gpen.load import Network, warn_once
from gpen_fast.gpen.select import FoldedForm


def test_any_batch_and_float_dtype_to_float32(tiny_weights: Path) -> None:
    network = load_network(tiny_weights)
    faces = torch.rand(3, 3, 64, 64) * 2 - 1
    together = network(faces.double())
    assert together.shape == faces.shape
    assert together.dtype == torch.float32
    assert not together.requires_grad
    alone = torch.cat([network(face[None]) for face in faces])
    assert relative_l2(together, alone) < 1e-5


def test_result_is_an_ordinary_tensor_and_the_callers_weights_stay_theirs() -> None:
    state = {key: torch.nn.Parameter(tensor) for key, tensor in random_state(TINY).items()}
    faces = load_network(state)(torch.zeros(1, 3, 64, 64))
    faces.clamp_(-1, 1).requires_grad_().sum().backward()
    assert all(tensor.requires_grad for tensor in state.values())


@pytest.mark.skipif(not cpu_has_bf16(), reason="this processor has no native bf16")
def test_bf16_is_near_fp32_and_not_it(tiny_weights: Path) -> None:
    faces = reference_input(64)
    error = relative_l2(
        load_network(tiny_weights, precision="bf16")(faces), load_network(tiny_weights)(faces)
    )
    assert 1e-4 < error < 3e-2


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 1, 64, 64), (1, 3, 32, 32), (0, 3, 64, 64)])
def test_wrong_shape_says_what_came_and_what_is_accepted(tiny_weights: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(PictureError, match=r"faces of shape \(.*accepted is \(B,3,64,64\), RGB in \[-1,1\]"):
        load_network(tiny_weights)(torch.zeros(shape))


def test_unknown_form_and_precision(tiny_weights: Path) -> None:
    with pytest.raises(SettingsError, match=r"form 'fast': accepted are reference, folded"):
        load_network(tiny_weights, form="fast")
    with pytest.raises(SettingsError, match=r"precision 'int8': accepted are auto"):
        load_network(tiny_weights, precision="int8")
    with pytest.raises(
        DeviceError, match=r"precision fp16 needs CUDA, and this runs on cpu\. Try --precision"
    ):
        load_network(tiny_weights, precision="fp16")


def test_repr_shows_what_runs(tiny_weights: Path) -> None:
    assert (
        repr(load_network(tiny_weights))
        == "Network(size=64, form='reference', precision='fp32', device='cpu')"
    )


def test_a_slower_form_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        load, "select_form", lambda *given: FoldedForm(lambda faces: faces, "kernels took a day off.")
    )
    with pytest.warns(RuntimeWarning, match="a day off"):
        load_network(random_state(NARROW), form="folded")


def test_a_warning_comes_once() -> None:
    with pytest.warns(RuntimeWarning, match="not used on cuda:7"):
        warn_once("kernels are not used on cuda:7")
    warn_once("kernels are not used on cuda:7")


def test_the_package_exports_it_lazily() -> None:
    assert gpen.Network is Network
    with pytest.raises(AttributeError, match=r"module 'gpen_fast\.gpen' has no attribute 'Networks'"):
        gpen.Networks  # type: ignore[attr-defined]  # noqa: B018
