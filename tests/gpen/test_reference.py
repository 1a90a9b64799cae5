"""The network equals the reference implementation."""

from __future__ import annotations

import json

import pytest
import torch
from helpers import DATA, TINY, reference_input, relative_l2
from safetensors.torch import load_file

from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import config_from_arguments, infer_config
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.store.published import PUBLISHED, name_of

LAYOUTS = json.loads((DATA / "state_dict_layout.json").read_text())
TOLERANCE = 1e-5


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    return {key: tuple(shape) for key, shape in LAYOUTS[name]["tensors"].items()}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_of_published_checkpoint_loads_strictly(name: str) -> None:
    published = shapes(name)
    with torch.device("meta"):
        network = FullGenerator(infer_config(published))
    assert {key: tuple(t.shape) for key, t in network.state_dict().items()} == published


@pytest.mark.parametrize("name", LAYOUTS)
def test_figures_are_inferred_from_shapes(name: str) -> None:
    layout = LAYOUTS[name]
    wanted = config_from_arguments(
        layout["size"],
        style_dim=layout["style_dim"],
        n_mlp=layout["n_mlp"],
        channel_multiplier=layout["channel_multiplier"],
        narrow=layout["narrow"],
    )
    assert infer_config(shapes(name)) == wanted
    assert name_of(wanted) == (name if name in PUBLISHED else "custom-64")


def test_tiny_equals_reference_output_and_every_inner_value() -> None:
    reference = load_file(DATA / "tiny-64.activations.safetensors")
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


@pytest.mark.parametrize("name", ["gpen-bfr-256", "gpen-bfr-512"])
def test_full_size_equals_reference(name: str) -> None:
    network = load_network(random_state(PUBLISHED[name].config))
    output = network(reference_input(PUBLISHED[name].config.size))
    wanted = load_file(DATA / f"{name}.output.safetensors")["output"]
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
    assert relative_l2(output, load_file(DATA / f"{name}.output.safetensors")["output"]) <= tolerance
