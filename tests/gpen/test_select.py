"""Which folded form runs where, and that it is the reference network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers import TINY, relative_l2
from networks import NARROW, faces_of, truth
from torch import Tensor

from gpen_fast.device import onednn
from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.cpu.generator import CpuGenerator
from gpen_fast.gpen.cuda.generator import CudaGenerator, has_published_fir
from gpen_fast.gpen.cuda.kernels.kernel_set import REFERENCE
from gpen_fast.gpen.folded.generator import FoldedGenerator
from gpen_fast.gpen.select import cuda_form_if_valid, form_without_kernels, select_form
from gpen_fast.store.published import PUBLISHED

CPU = torch.device("cpu")


def test_a_cpu_has_the_torch_form_and_nothing_to_note() -> None:
    form = select_form(build(random_state(TINY)), "fp32", CPU)
    assert not isinstance(form.run, CudaGenerator)
    assert form.note == ""


@pytest.mark.skipif(not onednn.supports(torch.float32), reason="no oneDNN convolutions here")
def test_a_cpu_has_fused_convolutions() -> None:
    network = build(random_state(TINY))
    assert isinstance(form_without_kernels(network, torch.float32, CPU), CpuGenerator)
    assert isinstance(form_without_kernels(network, torch.float16, CPU), FoldedGenerator)


def test_without_them_plain_pytorch_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "supports", lambda dtype: False)
    network, faces = build(random_state(TINY)), faces_of(TINY.size, 2)
    assert isinstance(form_without_kernels(network, torch.float32, CPU), FoldedGenerator)
    out = load_network(random_state(TINY), form="folded")(faces)
    assert relative_l2(out, truth(network, faces)) <= 3e-6


def test_kernels_that_are_right_are_used() -> None:
    form = cuda_form_if_valid(build(random_state(NARROW)), "fp16", CPU, REFERENCE)
    assert isinstance(form.run, CudaGenerator)
    assert form.note == ""


def test_kernels_that_do_not_run_are_not_used_and_that_is_said() -> None:
    def fails(*arguments: Any) -> Tensor:
        raise ModuleNotFoundError("No module named 'triton'")

    network, faces = build(random_state(NARROW)), faces_of(32, 2)
    form = cuda_form_if_valid(network, "fp32", CPU, replace(REFERENCE, blur=fails))
    assert form.note == (
        "its kernels are not used on cpu (ModuleNotFoundError: No module named 'triton'): "
        "torch operations give the same and take longer."
    )
    with torch.no_grad():
        assert relative_l2(form.run(faces), truth(network, faces)) <= 3e-6


def test_kernels_that_fail_at_the_networks_own_sizes_are_not_used() -> None:
    """Right on the small example, wrong in the network."""

    def wrong_when_large(feature: Tensor, bias: Tensor) -> Tensor:
        return REFERENCE.blur(feature, bias) * (1.0 if feature.shape[-1] < 32 else 1.5)

    network = build(random_state(NARROW))
    form = cuda_form_if_valid(network, "fp16", CPU, replace(REFERENCE, blur=wrong_when_large))
    assert isinstance(form.run, FoldedGenerator)
    assert "the network by kernels is" in form.note


def test_no_memory_to_compare_says_nothing_against_kernels() -> None:
    def too_large(feature: Tensor, bias: Tensor) -> Tensor:
        if feature.shape[-1] >= 32:
            raise torch.OutOfMemoryError("out of memory")
        return REFERENCE.blur(feature, bias)

    form = cuda_form_if_valid(build(random_state(NARROW)), "fp16", CPU, replace(REFERENCE, blur=too_large))
    assert isinstance(form.run, CudaGenerator)


def test_a_fir_of_its_own_is_respected() -> None:
    network = build(random_state(NARROW))
    assert has_published_fir(network)
    network.get_buffer("generator.to_rgbs.0.upsample.kernel").mul_(1.1)
    form = cuda_form_if_valid(network, "fp32", CPU, REFERENCE)
    assert "the checkpoint's FIR kernels are not the published ones" in form.note
    faces = faces_of(32, 1)
    with torch.no_grad():
        assert relative_l2(form.run(faces), truth(network, faces)) <= 3e-6


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
@pytest.mark.parametrize("name", ["gpen-bfr-256", "gpen-lite-256"])
def test_on_cuda_the_kernels_are_used_and_right(name: str, precision: str) -> None:
    network, faces = build(random_state(PUBLISHED[name].config)), faces_of(256, 3)
    form = select_form(network, precision, torch.device("cuda", 0))
    assert form.note == ""
    assert isinstance(form.run, CudaGenerator)
    out = load_network(network.state_dict(), form="folded", precision=precision, device="cuda")(faces)
    limit = {"fp32": 3e-6, "tf32": 2e-3, "fp16": 1.5e-3, "bf16": 8e-3}[precision]
    assert relative_l2(out, truth(network, faces)) <= limit
