"""Where training starts: a network of the published architecture that gives back its input.

GPEN has no residual around the whole network, and needs none: its full-size encoder feature reaches the last RGB
layer, and a leaky ReLU is linear where its input is positive. Three channels of that feature carry RGB + 1, the
last RGB layer takes them and subtracts the 1. So every backend runs the trained network as it is, and training
has to find the correction only.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gpen_fast.device.threads import seeded
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.layers import GAIN
from gpen_fast.gpen.reference import MAPPING_LR, FullGenerator

# How strongly latents steer the styles at first, and what the RGB layers add to the picture at first.
_STYLE, _RGB = 0.3, 0.02


def near_identity(config: GeneratorConfig, seed: int) -> FullGenerator:
    """A network whose output is its input, plus a little noise from the drawn weights."""
    network = FullGenerator(config).train().requires_grad_(True)
    draw_weights(network, seeded(seed))
    for name, parameter in network.named_parameters():
        if name.endswith("modulation.weight"):
            parameter.data *= _STYLE
        if name.endswith("noise.weight"):
            parameter.data.fill_(1.0)
        if name.startswith("generator.to_rgb") and name.endswith("conv.weight"):
            parameter.data *= _RGB
    _carry_the_input(network)
    return network


def draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Weights as the layers' constructors draw them, but from `generator`; biases stay as they were set."""
    for name, parameter in network.named_parameters():
        if not name.endswith(("bias", "noise.weight")):
            mapping = name.startswith("generator.style.")
            parameter.data.normal_(0.0, 1 / MAPPING_LR if mapping else 1.0, generator=generator)


def _carry_the_input(network: FullGenerator) -> None:
    """RGB + 1 goes through the full-size feature's first three channels; the last RGB layer takes the 1 off."""
    first: Any = network.ecd0.get_submodule("0")
    _set(first[0], "weight", torch.eye(3)[:, :, None, None] / first[0].scale)
    _set(first[1], "bias", torch.ones(3))
    to_rgb: Any = network.generator.to_rgbs[-1]
    _set(network.generator.convs[-1], "noise.weight", torch.full((1,), 1 / GAIN**2))
    width = network.config.width(network.config.size)
    taken = to_rgb.conv.weight.data[0, :, width : width + 3, 0, 0]
    taken.copy_(torch.eye(3) / to_rgb.conv.scale)
    to_rgb.conv.modulation.weight.data.zero_()
    to_rgb.bias.data.fill_(-1.0)


def _set(module: nn.Module, name: str, values: Tensor) -> None:
    """The first entries of a parameter along its first dimension."""
    module.get_parameter(name).data[: len(values)] = values
