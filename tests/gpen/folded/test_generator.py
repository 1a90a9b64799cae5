"""The folded form is the reference network, in every precision."""

from __future__ import annotations

import copy

import pytest
import torch
from helpers import DATA, TINY, reference_input, relative_l2
from networks import NARROW, TOLERANCE, TOLERANCE_SMALL, faces_of, truth, with_styles_in_the_thousands
from safetensors.torch import load_file

from gpen_fast.device.precision import cpu_has_bf16
from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.folded.generator import DTYPES, FoldedGenerator
from gpen_fast.store.published import PUBLISHED

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("config", [TINY, NARROW], ids=["tiny", "narrow"])
def test_equals_the_reference(config: GeneratorConfig, number: int, dtype: torch.dtype) -> None:
    network, faces = build(random_state(config)), faces_of(config.size, number)
    with torch.no_grad():
        out = FoldedGenerator(network, dtype, CPU)(faces)
    assert out.dtype == torch.float32
    assert relative_l2(out, truth(network, faces)) <= TOLERANCE_SMALL[dtype]


def test_full_size_equals_the_reference_values() -> None:
    network = load_network(random_state(PUBLISHED["gpen-bfr-256"].config), form="folded")
    wanted = load_file(DATA / "gpen-bfr-256.output.safetensors")["output"]
    assert relative_l2(network(reference_input(256)), wanted) <= 3e-6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_full_size_in_half_precision_is_near(dtype: torch.dtype) -> None:
    if dtype == torch.bfloat16 and not cpu_has_bf16():
        pytest.skip("this processor has no native bf16")
    network = build(random_state(PUBLISHED["gpen-bfr-256"].config))
    wanted = load_file(DATA / "gpen-bfr-256.output.safetensors")["output"]
    with torch.no_grad():
        out = FoldedGenerator(network, dtype, CPU)(reference_input(256))
    assert relative_l2(out, wanted) <= TOLERANCE[dtype]


@pytest.mark.parametrize("number", [1, 3])
def test_fp16_survives_styles_in_the_thousands(number: int) -> None:
    """A plain `.half()` network ends in one colour: the sum of squares in its demodulation overflows."""
    network, faces = with_styles_in_the_thousands(), faces_of(TINY.size, number)
    with torch.no_grad():
        naive = copy.deepcopy(network).half()(faces.half()).float()
        folded = FoldedGenerator(network, torch.float16, CPU)(faces)
    wanted = truth(network, faces)
    assert relative_l2(folded, wanted) <= TOLERANCE_SMALL[torch.float16]
    assert not relative_l2(naive, wanted) < 0.1


def test_large_rgb_styles_survive_too() -> None:
    state = random_state(TINY)
    for name, tensor in state.items():
        if "to_rgb" in name and "modulation" in name:
            tensor *= 3000.0
        if "to_rgb" in name and name.endswith("conv.weight"):
            tensor /= 3000.0
    network, faces = build(state), faces_of(TINY.size, 2)
    with torch.no_grad():
        folded = FoldedGenerator(network, torch.float16, CPU)(faces)
    assert relative_l2(folded, truth(network, faces)) <= TOLERANCE_SMALL[torch.float16]


def test_a_call_leaves_no_trace_and_its_result_is_the_callers() -> None:
    network = FoldedGenerator(build(random_state(TINY)), torch.float32, CPU)
    faces = faces_of(TINY.size, 1)
    kept = faces.clone()
    with torch.no_grad():
        first = network(faces)
        before = first.clone()
        second = network(faces)
        first.zero_()
        third = network(faces)
    assert torch.equal(faces, kept)
    assert torch.equal(second, before)
    assert torch.equal(third, before)


def test_any_memory_format_of_input_gives_the_same() -> None:
    network = FoldedGenerator(build(random_state(TINY)), torch.float32, CPU)
    faces = faces_of(TINY.size, 2)
    flipped = faces.flip(3)
    with torch.no_grad():
        assert torch.allclose(network(faces.to(memory_format=torch.channels_last)), network(faces), atol=1e-5)
        assert torch.allclose(network(flipped), network(flipped.contiguous()), atol=1e-5)


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("number", [1, 8])
def test_cuda_equals_the_reference(precision: str, number: int) -> None:
    state, faces = random_state(TINY), faces_of(TINY.size, number)
    out = load_network(state, form="folded", precision=precision, device="cuda")(faces)
    limit = TOLERANCE_SMALL[DTYPES[precision]]
    assert relative_l2(out, truth(build(state), faces)) <= limit


@pytest.mark.cuda
def test_cuda_fp16_survives_styles_in_the_thousands() -> None:
    network, faces = with_styles_in_the_thousands(), faces_of(TINY.size, 4)
    out = load_network(network.state_dict(), form="folded", precision="fp16", device="cuda")(faces)
    assert relative_l2(out, truth(network, faces)) <= TOLERANCE_SMALL[torch.float16]
