"""The network equals the reference implementation."""

from __future__ import annotations

import pytest
import torch
from helpers import TINY, reference_file, reference_input, relative_l2
from networks import LAYOUTS, shapes_of
from safetensors.torch import load_file

from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import infer_config
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.store.published import PUBLISHED

TOLERANCE = 1e-5


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_of_published_checkpoint_loads_strictly(name: str) -> None:
    published = shapes_of(name)
    with torch.device("meta"):
        network = FullGenerator(infer_config(published))
    assert {key: tuple(t.shape) for key, t in network.state_dict().items()} == published


def test_tiny_equals_reference_output_and_every_inner_value() -> None:
    reference = load_file(reference_file("tiny-64.activations.safetensors"))
    network = build(random_state(TINY))
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, module: torch.nn.Module) -> None:
        module.register_forward_hook(lambda m, given, out: seen.__setitem__(f"act.{name}", out))

    for i in range(len(network.config.sides)):
        keep(f"ecd{i}", network.get_submodule(f"ecd{i}"))
    decoder = network.generator
    keep("final_linear", network.final_linear)
    keep("latent", decoder.style)
    for i, layer in enumerate([decoder.conv1, *decoder.convs]):
        keep(f"styled_conv{i}", layer)
    for i, layer in enumerate([decoder.to_rgb1, *decoder.to_rgbs]):
        keep(f"rgb{i}", layer)
    seen["output"] = network(reference["input"])
    assert set(seen) == set(reference) - {"input"}
    for name, value in seen.items():
        assert relative_l2(value, reference[name]) <= TOLERANCE, name


def test_the_parts_are_the_modules_in_the_order_of_use() -> None:
    network = build(random_state(TINY))
    parts, decoder = network.encoder_parts, network.generator
    assert [part.side for part in parts] == list(reversed(TINY.sides))
    assert [part.blur is None for part in parts] == [True] + [False] * (len(parts) - 1)
    assert parts[1].conv is network.get_submodule("ecd1.0.1")
    assert parts[1].activation is network.get_submodule("ecd1.0.2")
    assert len(decoder.mapping_layers) == TINY.n_mlp
    assert decoder.styled_convs[0] is decoder.conv1
    assert decoder.styled_convs[-1] is decoder.convs[-1]
    assert [conv.conv.blur is not None for conv in decoder.styled_convs[:4]] == [False, True, False, True]
    assert decoder.rgb_layers[0] is decoder.to_rgb1
    assert decoder.rgb_layers[-1] is decoder.to_rgbs[-1]


@pytest.mark.parametrize("name", ["gpen-bfr-256", "gpen-bfr-512"])
def test_full_size_equals_reference(name: str) -> None:
    network = load_network(random_state(PUBLISHED[name].config))
    output = network(reference_input(PUBLISHED[name].config.size))
    wanted = load_file(reference_file(f"{name}.output.safetensors"))["output"]
    assert output.dtype == torch.float32
    assert relative_l2(output, wanted) <= TOLERANCE


@pytest.mark.cuda
@pytest.mark.parametrize(
    ("precision", "tolerance"), [("fp32", 1e-5), ("tf32", 5e-3), ("fp16", 5e-3), ("bf16", 2e-2)]
)
@pytest.mark.parametrize("name", ["gpen-bfr-256", "gpen-bfr-512"])
def test_cuda_equals_reference(name: str, precision: str, tolerance: float) -> None:
    network = load_network(random_state(PUBLISHED[name].config), precision=precision, device="cuda")
    output = network(reference_input(PUBLISHED[name].config.size))
    assert relative_l2(output, load_file(reference_file(f"{name}.output.safetensors"))["output"]) <= tolerance
