"""Which folded form runs where, and that it is the reference network."""

from __future__ import annotations

import copy
import weakref
from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers import DATA, TINY, reference_input, relative_l2
from safetensors.torch import load_file
from torch import Tensor

from gpen_fast.device import onednn
from gpen_fast.gpen import load, load_network
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cpu.generator import CpuGenerator
from gpen_fast.gpen.cuda.generator import CudaGenerator, has_published_fir
from gpen_fast.gpen.cuda.kernels.steps import BY_TORCH
from gpen_fast.gpen.folded.generator import FoldedGenerator
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.gpen.select import Folding, fold, fused_if_right, in_torch
from gpen_fast.store.published import PUBLISHED

CPU = torch.device("cpu")
TOLERANCE = {torch.float32: 3e-6, torch.float16: 1.5e-3, torch.bfloat16: 1.2e-2}
NARROW = GeneratorConfig(32, style_dim=24, n_mlp=1, widths=(12, 8, 6, 4))


def faces_of(size: int, number: int) -> Tensor:
    return reference_input(size) * torch.linspace(1, -0.4, number).view(-1, 1, 1, 1)


def truth(network: FullGenerator, faces: Tensor) -> Tensor:
    with torch.no_grad():
        return copy.deepcopy(network).double()(faces.double())


def fused(network: FullGenerator, dtype: torch.dtype, faces: Tensor) -> Tensor:
    with torch.no_grad():
        return CudaGenerator(network, dtype, CPU)(faces)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("config", [TINY, NARROW], ids=["tiny", "narrow"])
def test_the_fused_form_equals_the_reference(
    config: GeneratorConfig, number: int, dtype: torch.dtype
) -> None:
    network, faces = build(random_state(config)), faces_of(config.size, number)
    out = fused(network, dtype, faces)
    assert out.dtype == torch.float32
    assert out.is_contiguous()
    assert relative_l2(out, truth(network, faces)) <= TOLERANCE[dtype]


def test_the_fused_form_at_full_size_equals_the_reference_values() -> None:
    network = build(random_state(PUBLISHED["gpen-bfr-256"].config))
    wanted = load_file(DATA / "gpen-bfr-256.output.safetensors")["output"]
    assert relative_l2(fused(network, torch.float32, reference_input(256)), wanted) <= 3e-6


@pytest.mark.parametrize("factor", [3e3, 3e5])
@pytest.mark.parametrize("number", [1, 3])
def test_the_fused_form_survives_large_styles_in_fp16(number: int, factor: float) -> None:
    """Demodulation takes their size out again; nothing of it may meet fp16, which ends at 65504."""
    state = random_state(TINY)
    for name, tensor in state.items():
        if "modulation" in name:
            tensor *= factor
        if "to_rgb" in name and name.endswith("conv.weight"):
            tensor /= factor
    network, faces = build(state), faces_of(TINY.size, number)
    assert relative_l2(fused(network, torch.float16, faces), truth(network, faces)) <= 1.5e-3


def test_features_are_let_go_after_their_last_use() -> None:
    seen: list[weakref.ref[Tensor]] = []

    def noted(raw: Tensor, feature: Tensor, *others: Any) -> Any:
        assert not any(feature_before() is not None for feature_before in seen)
        seen.append(weakref.ref(feature))
        return BY_TORCH.end_same(raw, feature, *others)

    made = CudaGenerator(build(random_state(TINY)), torch.float32, CPU, replace(BY_TORCH, end_same=noted))
    with torch.no_grad():
        made(faces_of(TINY.size, 1))
    assert len(seen) == len(TINY.sides)


def test_no_large_weight_is_held_twice() -> None:
    """Convolutions in the activations' dtype only; what stays float32 is the latent's."""
    network = build(random_state(TINY))
    made = CudaGenerator(network, torch.float16, CPU)
    assert {conv.weight.dtype for conv in made._convs} == {torch.float16}
    assert {encoder.weight.dtype for encoder in made._encoders} == {torch.float16}


def test_a_cpu_has_the_torch_form_and_nothing_to_note() -> None:
    folding = fold(build(random_state(TINY)), "fp32", CPU)
    assert not isinstance(folding.run, CudaGenerator)
    assert folding.note == ""


@pytest.mark.skipif(not onednn.available(torch.float32), reason="no oneDNN convolutions here")
def test_a_cpu_has_fused_convolutions() -> None:
    network = build(random_state(TINY))
    assert isinstance(in_torch(network, torch.float32, CPU), CpuGenerator)
    assert isinstance(in_torch(network, torch.float16, CPU), FoldedGenerator)


def test_without_them_plain_pytorch_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "available", lambda dtype: False)
    network, faces = build(random_state(TINY)), faces_of(TINY.size, 2)
    assert isinstance(in_torch(network, torch.float32, CPU), FoldedGenerator)
    out = load_network(random_state(TINY), form="folded")(faces)
    assert relative_l2(out, truth(network, faces)) <= 3e-6


def test_kernels_that_are_right_are_used() -> None:
    folding = fused_if_right(build(random_state(NARROW)), "fp16", CPU, BY_TORCH)
    assert isinstance(folding.run, CudaGenerator)
    assert folding.note == ""


def test_kernels_that_do_not_run_are_not_used_and_that_is_said() -> None:
    def fails(*arguments: Any) -> Tensor:
        raise ModuleNotFoundError("No module named 'triton'")

    network, faces = build(random_state(NARROW)), faces_of(32, 2)
    folding = fused_if_right(network, "fp32", CPU, replace(BY_TORCH, blur=fails))
    assert folding.note == (
        "its kernels are not used on cpu (ModuleNotFoundError: No module named 'triton'): "
        "torch operations give the same and take longer."
    )
    with torch.no_grad():
        assert relative_l2(folding.run(faces), truth(network, faces)) <= 3e-6


def test_kernels_that_fail_at_the_networks_own_sizes_are_not_used() -> None:
    """Right on the small example, wrong in the network."""

    def wrong_when_large(feature: Tensor, bias: Tensor) -> Tensor:
        return BY_TORCH.blur(feature, bias) * (1.0 if feature.shape[-1] < 32 else 1.5)

    network = build(random_state(NARROW))
    folding = fused_if_right(network, "fp16", CPU, replace(BY_TORCH, blur=wrong_when_large))
    assert isinstance(folding.run, FoldedGenerator)
    assert "the network by kernels is" in folding.note


def test_no_memory_to_compare_says_nothing_against_kernels() -> None:
    def too_large(feature: Tensor, bias: Tensor) -> Tensor:
        if feature.shape[-1] >= 32:
            raise torch.OutOfMemoryError("out of memory")
        return BY_TORCH.blur(feature, bias)

    folding = fused_if_right(build(random_state(NARROW)), "fp16", CPU, replace(BY_TORCH, blur=too_large))
    assert isinstance(folding.run, CudaGenerator)


def test_a_fir_of_its_own_is_respected() -> None:
    network = build(random_state(NARROW))
    assert has_published_fir(network)
    network.get_buffer("generator.to_rgbs.0.upsample.kernel").mul_(1.1)
    folding = fused_if_right(network, "fp32", CPU, BY_TORCH)
    assert "the checkpoint has a FIR of its own" in folding.note
    faces = faces_of(32, 1)
    with torch.no_grad():
        assert relative_l2(folding.run(faces), truth(network, faces)) <= 3e-6


def test_load_network_warns_where_nobody_reads_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "fold", lambda *given: Folding(lambda faces: faces, "kernels took a day off."))
    with pytest.warns(RuntimeWarning, match="a day off"):
        load_network(random_state(NARROW), form="folded")


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
@pytest.mark.parametrize("name", ["gpen-bfr-256", "gpen-lite-256"])
def test_on_cuda_the_kernels_are_used_and_right(name: str, precision: str) -> None:
    network, faces = build(random_state(PUBLISHED[name].config)), faces_of(256, 3)
    folding = fold(network, precision, torch.device("cuda", 0))
    assert folding.note == ""
    assert isinstance(folding.run, CudaGenerator)
    out = load_network(network.state_dict(), form="folded", precision=precision, device="cuda")(faces)
    limit = {"fp32": 3e-6, "tf32": 2e-3, "fp16": 1.5e-3, "bf16": 8e-3}[precision]
    assert relative_l2(out, truth(network, faces)) <= limit
