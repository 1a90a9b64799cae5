"""One face on a CPU: the same function as the reference network, whichever tensor the scales go into."""

from __future__ import annotations

import copy

import pytest
import torch
from helpers import DATA, TINY, reference_input, relative_l2
from networks import NARROW, TOLERANCE, TOLERANCE_SMALL, faces_of, truth, with_styles_in_the_thousands
from safetensors.torch import load_file

from gpen_fast.device import onednn
from gpen_fast.device.precision import cpu_has_bf16
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cpu import generator as cpu_generator
from gpen_fast.gpen.cpu.generator import CpuGenerator
from gpen_fast.store.published import PUBLISHED

pytestmark = pytest.mark.skipif(
    not all(onednn.supports(dtype) for dtype in onednn.DTYPES), reason="no oneDNN convolutions here"
)


@pytest.fixture(params=[0, None, 10**9], ids=["weights scaled", "as chosen", "inputs scaled"])
def scales(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(cpu_generator, "_WEIGHT_COST", request.param)


@pytest.mark.usefixtures("scales")
@pytest.mark.parametrize("dtype", onednn.DTYPES, ids=str)
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("config", [TINY, NARROW], ids=["tiny", "narrow"])
def test_equals_the_reference(config: GeneratorConfig, number: int, dtype: torch.dtype) -> None:
    network, faces = build(random_state(config)), faces_of(config.size, number)
    with torch.no_grad():
        out = CpuGenerator(network, dtype)(faces)
    assert out.dtype == torch.float32
    assert out.shape == faces.shape
    assert relative_l2(out, truth(network, faces)) <= TOLERANCE_SMALL[dtype]


@pytest.mark.parametrize("dtype", onednn.DTYPES, ids=str)
@pytest.mark.parametrize("config", [TINY, NARROW], ids=["tiny", "narrow"])
@pytest.mark.parametrize(
    "turned",
    [{"_FEW": 1}, {"_FEW": 10**9}, {"_HEAVY": 1}],
    ids=["skip convolved", "skip elementwise", "in parts"],
)  # fmt: skip
def test_what_large_networks_do_equals_the_reference(
    turned: dict[str, int], config: GeneratorConfig, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in turned.items():
        monkeypatch.setattr(cpu_generator, name, value)
    network, faces = build(random_state(config)), faces_of(config.size, 1)
    assert relative_l2(CpuGenerator(network, dtype)(faces), truth(network, faces)) <= TOLERANCE_SMALL[dtype]


def test_heavy_weights_are_cut_into_equal_parts() -> None:
    weight = torch.randn(1024, 12, 3, 3)
    bytes_each = weight.numel() * 4
    assert len(cpu_generator.split_output_channels(weight, bytes_each)) == 1
    assert [part.shape[1] for part in cpu_generator.split_output_channels(weight, bytes_each // 2)] == [6, 6]
    parts = cpu_generator.split_output_channels(weight, 1)
    assert [part.shape[1] for part in parts] == [3, 3, 3, 3], "three channels cannot be halved"
    assert torch.equal(torch.cat(parts, dim=1), weight)


def test_a_caller_may_change_and_differentiate_with_a_result() -> None:
    out = CpuGenerator(build(random_state(TINY)), torch.float32)(faces_of(TINY.size, 1))
    out.mul_(2)
    gain = torch.ones(1, requires_grad=True)
    (out * gain).sum().backward()
    assert gain.grad is not None


@pytest.mark.parametrize("dtype", onednn.DTYPES, ids=str)
def test_full_size_equals_the_reference_values(dtype: torch.dtype) -> None:
    if dtype == torch.bfloat16 and not cpu_has_bf16():
        pytest.skip("this processor has no native bf16")
    network = build(random_state(PUBLISHED["gpen-bfr-256"].config))
    wanted = load_file(DATA / "gpen-bfr-256.output.safetensors")["output"]
    with torch.no_grad():
        assert relative_l2(CpuGenerator(network, dtype)(reference_input(256)), wanted) <= TOLERANCE[dtype]


@pytest.mark.usefixtures("scales")
@pytest.mark.parametrize("dtype", onednn.DTYPES, ids=str)
@pytest.mark.parametrize("factor", [3000.0, 1e-3])
def test_survives_styles_of_any_size(factor: float, dtype: torch.dtype) -> None:
    network, faces = with_styles_in_the_thousands(factor), faces_of(TINY.size, 1)
    with torch.no_grad():
        out = CpuGenerator(network, dtype)(faces)
    assert relative_l2(out, truth(network, faces)) <= TOLERANCE_SMALL[dtype]


def test_a_call_leaves_no_trace_and_its_result_is_the_callers() -> None:
    state = random_state(TINY)
    network, faces = build(state), faces_of(TINY.size, 1)
    kept, weights = faces.clone(), copy.deepcopy(network.state_dict())
    restore = CpuGenerator(network, torch.float32)
    with torch.no_grad():
        first = restore(faces)
        before = first.clone()
        first.zero_()
        again = restore(faces)
    assert torch.equal(faces, kept)
    assert torch.equal(again, before)
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())


def test_faces_do_not_depend_on_their_neighbours() -> None:
    restore = CpuGenerator(build(random_state(TINY)), torch.float32)
    faces = faces_of(TINY.size, 3)
    with torch.no_grad():
        together, alone = restore(faces), restore(faces[1:2])
    assert torch.equal(together[1:2], alone)


@pytest.mark.parametrize("dtype", onednn.DTYPES, ids=str)
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_the_latent_keeps_more_than_the_activations_have(seed: int, dtype: torch.dtype) -> None:
    """Its error is in every pixel; which face it is must not decide whether the whole stays in tolerance."""
    network = build(random_state(PUBLISHED["gpen-lite-256"].config))
    face = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    with torch.no_grad():
        wanted = copy.deepcopy(network).double()
        x = face.double()
        for number in range(len(network.config.sides)):
            x = wanted.get_submodule(f"ecd{number}")(x)
        latent = wanted.generator.style(wanted.final_linear(x.flatten(1)))
        _, got = CpuGenerator(network, dtype)._encode(face.to(dtype))
    assert relative_l2(got, latent.flatten()) <= {torch.float32: 1e-6, torch.bfloat16: 2.5e-3}[dtype]
