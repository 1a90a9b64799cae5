"""The generator for CUDA: the same function as the reference network, by torch references on a CPU or by kernels."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
import torch
from helpers import DATA, TINY, reference_input, relative_l2
from launches import launches
from networks import NARROW, faces_of, truth
from safetensors.torch import load_file
from torch import Tensor

from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cuda.generator import CudaGenerator, has_published_fir
from gpen_fast.gpen.cuda.kernels import dense, modulate
from gpen_fast.gpen.cuda.kernels.kernel_set import REFERENCE
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.store.published import PUBLISHED

CPU = torch.device("cpu")
TOLERANCE = {torch.float32: 3e-6, torch.float16: 1.5e-3, torch.bfloat16: 1.2e-2}
LATENT_BY_KERNEL = replace(REFERENCE, dense=dense.dense_by_kernel, modulate=modulate.modulate_by_kernel)


def restored(network: FullGenerator, dtype: torch.dtype, faces: Tensor) -> Tensor:
    with torch.no_grad():
        return CudaGenerator(network, dtype, CPU)(faces)


def tensors(of: Any) -> Iterator[Tensor]:
    """Every tensor that something holds, at any depth."""
    if isinstance(of, Tensor):
        yield of
    elif isinstance(of, list | tuple):
        for each in of:
            yield from tensors(each)
    elif is_dataclass(of):
        for field in fields(of):
            yield from tensors(getattr(of, field.name))


def bytes_held(made: CudaGenerator) -> int:
    """Bytes of all storages, each counted once: a view keeps its whole storage."""
    kept = [each.untyped_storage() for each in tensors(list(vars(made).values()))]
    return sum({storage.data_ptr(): storage.nbytes() for storage in kept}.values())


def weight_ratio(config: GeneratorConfig, dtype: torch.dtype) -> float:
    """Bytes of the folded network over those of the reference in float32."""
    network = build(random_state(config))
    eager = sum(each.numel() * each.element_size() for each in network.state_dict().values())
    return bytes_held(CudaGenerator(network, dtype, CPU)) / eager


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("config", [TINY, NARROW], ids=["tiny", "narrow"])
def test_it_equals_the_reference(config: GeneratorConfig, number: int, dtype: torch.dtype) -> None:
    network, faces = build(random_state(config)), faces_of(config.size, number)
    out = restored(network, dtype, faces)
    assert out.dtype == torch.float32
    assert out.is_contiguous()
    assert relative_l2(out, truth(network, faces)) <= TOLERANCE[dtype]


def test_it_at_full_size_equals_the_reference_values() -> None:
    network = build(random_state(PUBLISHED["gpen-bfr-256"].config))
    wanted = load_file(DATA / "gpen-bfr-256.output.safetensors")["output"]
    assert relative_l2(restored(network, torch.float32, reference_input(256)), wanted) <= 3e-6


@pytest.mark.parametrize("factor", [3e3, 3e5])
@pytest.mark.parametrize("number", [1, 3])
def test_it_survives_large_styles_in_fp16(number: int, factor: float) -> None:
    """Demodulation takes their size out again; nothing of it may meet fp16, which ends at 65504."""
    state = random_state(TINY)
    for name, tensor in state.items():
        if "modulation" in name:
            tensor *= factor
        if "to_rgb" in name and name.endswith("conv.weight"):
            tensor /= factor
    network, faces = build(state), faces_of(TINY.size, number)
    assert relative_l2(restored(network, torch.float16, faces), truth(network, faces)) <= 1.5e-3


def test_the_interpreted_network_equals_the_one_by_references(interpreted: dict[str, str]) -> None:
    assert interpreted["network"] == ""


def test_features_are_released_after_their_last_use() -> None:
    seen: list[weakref.ref[Tensor]] = []

    def noted(raw: Tensor, feature: Tensor, *others: Any) -> Any:
        assert not any(feature_before() is not None for feature_before in seen)
        seen.append(weakref.ref(feature))
        return REFERENCE.same_epilogue(raw, feature, *others)

    made = CudaGenerator(
        build(random_state(TINY)), torch.float32, CPU, replace(REFERENCE, same_epilogue=noted)
    )
    with torch.no_grad():
        made(faces_of(TINY.size, 1))
    assert len(seen) == len(TINY.sides)


def test_no_large_weight_is_held_twice() -> None:
    """Convolutions in the activations' dtype only; what stays float32 is the latent's."""
    network = build(random_state(TINY))
    made = CudaGenerator(network, torch.float16, CPU)
    assert {conv.weight.dtype for conv in made._convs} == {torch.float16}
    assert {encoder.weight.dtype for encoder in made._encoder} == {torch.float16}


def test_another_fir_than_the_published_one_is_noticed() -> None:
    network = build(random_state(NARROW))
    assert has_published_fir(network)
    network.get_buffer("generator.to_rgbs.0.upsample.kernel").mul_(1.1)
    assert not has_published_fir(network)


@pytest.mark.parametrize(("dtype", "most"), [(torch.float16, 0.54), (torch.bfloat16, 0.6)], ids=str)
def test_half_precision_holds_little_more_than_half_the_weights(dtype: torch.dtype, most: float) -> None:
    """16 bits each, and the sums of squares, a ninth of the modulated convolutions, besides.

    Beside bfloat16 the encoder's last three convolutions have 32.
    """
    assert weight_ratio(PUBLISHED["gpen-bfr-256"].config, dtype) <= most


def test_the_largest_network_does_too() -> None:
    assert weight_ratio(PUBLISHED["gpen-bfr-2048"].config, torch.float16) <= 0.54


def test_nothing_but_vectors_stays_in_float32_in_half_precision() -> None:
    made = CudaGenerator(build(random_state(PUBLISHED["gpen-lite-256"].config)), torch.float16, CPU)
    exact = [each for each in tensors(list(vars(made).values())) if each.dtype == torch.float32]
    assert max(each.numel() for each in exact) <= 3 * 1024


def test_from_feature_to_scales_there_is_one_launch_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Final linear, mapping, all styles, all scales; nothing else touches the device."""
    pytest.importorskip("triton")
    made = CudaGenerator(build(random_state(TINY)), torch.float16, CPU)
    feature = torch.zeros(2, TINY.widths[0], 4, 4).half().to(memory_format=torch.channels_last)
    with launches(monkeypatch) as found, torch.profiler.profile() as profiled:
        made._scale(feature, LATENT_BY_KERNEL)
    assert [launch.name for launch in found] == ["_dense"] * (TINY.n_mlp + 2) + ["_modulate"]
    quiet = {"empty", "new_empty", "view", "permute", "flatten", "slice", "as_strided", "_unsafe_view"}
    names = {event.name for event in profiled.events() if event.name.startswith("aten::")}
    assert names <= {f"aten::{name}" for name in quiet}


@pytest.mark.cuda
def test_memory_allocated_for_weights_on_cuda() -> None:
    network = build(random_state(PUBLISHED["gpen-bfr-256"].config))
    eager = sum(each.numel() * each.element_size() for each in network.state_dict().values())
    before = torch.cuda.memory_allocated()
    made = CudaGenerator(network, torch.float16, torch.device("cuda", 0))
    assert (torch.cuda.memory_allocated() - before) / eager <= 0.54
    assert made.dtype == torch.float16
