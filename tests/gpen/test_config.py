"""The config is inferred from tensors' shapes, and is what the published constructor's arguments stand for."""

from __future__ import annotations

import pytest
from networks import LAYOUTS, shapes_of

from gpen_fast.errors import CheckpointError
from gpen_fast.gpen.config import GeneratorConfig, config_from_arguments, infer_config
from gpen_fast.store.published import PUBLISHED, name_of


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_config_is_inferred_from_shapes(name: str) -> None:
    layout = LAYOUTS[name]
    wanted = config_from_arguments(
        layout["size"],
        style_dim=layout["style_dim"],
        n_mlp=layout["n_mlp"],
        channel_multiplier=layout["channel_multiplier"],
        narrow=layout["narrow"],
    )
    assert infer_config(shapes_of(name)) == wanted
    assert name_of(wanted) == (name if name in PUBLISHED else "custom-64")


def test_widths_belong_to_sides() -> None:
    config = config_from_arguments(256)
    assert config.sides == (4, 8, 16, 32, 64, 128, 256)
    assert [config.width(side) for side in (4, 32, 64, 256)] == [512, 512, 512, 128]
    assert config_from_arguments(256, narrow=0.5).width(4) == 256


@pytest.mark.parametrize("missing", ["final_linear.0.weight", "generator.style.1.", "ecd0.0."])
def test_a_tensor_that_is_missing_is_named(missing: str) -> None:
    name = next(iter(LAYOUTS))
    shapes = {key: shape for key, shape in shapes_of(name).items() if not key.startswith(missing)}
    with pytest.raises(CheckpointError, match=rf"not a GPEN generator: no usable tensor '{missing}'"):
        infer_config(shapes)


def test_no_tensors_at_all_are_no_network() -> None:
    with pytest.raises(CheckpointError, match=r"among 0 \(none \.\.\.\)"):
        infer_config({})


def test_configs_are_values() -> None:
    assert GeneratorConfig(8, 4, 1, (2, 2)) == GeneratorConfig(8, 4, 1, (2, 2))
    assert len({GeneratorConfig(8, 4, 1, (2, 2)), GeneratorConfig(8, 4, 1, (2, 2))}) == 1
