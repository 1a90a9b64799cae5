"""The network that training starts from: the published architecture, with weights that return the input.

GPEN has no residual around the whole network and needs none: its full-size encoder feature reaches the last RGB layer,
and a leaky ReLU is linear where its input is positive. Three channels of that feature carry RGB + 1; the last RGB layer
takes them and subtracts the 1. So every backend runs the trained network unchanged, and training has to find the
correction only.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from gpen_fast.device.threads import seeded
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.layers import GAIN, EqualConv2d
from gpen_fast.gpen.reference import MAPPING_LR, FullGenerator, StyledConv, ToRGB

# First scales of the random weights: of the style modulation, and of the RGB layers.
_STYLE, _RGB = 0.3, 0.02


def near_identity(config: GeneratorConfig, seed: int) -> FullGenerator:
    """Returns a network whose output is its input plus a little noise from the random weights.

    Args:
        config: The network's size and widths.
        seed: Decides the random weights. The process's own generator stays untouched.
    """
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
    """Draws all weights anew, distributed as the layers' constructors draw them; biases stay unchanged."""
    for name, parameter in network.named_parameters():
        if not name.endswith(("bias", "noise.weight")):
            mapping = name.startswith("generator.style.")
            parameter.data.normal_(0.0, 1 / MAPPING_LR if mapping else 1.0, generator=generator)


def _carry_the_input(network: FullGenerator) -> None:
    """Routes RGB + 1 through the full-size feature's first three channels; the last RGB layer subtracts the 1."""
    # ecd0 holds (3,S,S) -> (C,S,S): a 1x1 convolution and its activation.
    first = network.ecd0.get_submodule("0")
    conv = cast("EqualConv2d", first.get_submodule("0"))
    _set_first(conv, "weight", torch.eye(3)[:, :, None, None] / conv.scale)
    _set_first(first.get_submodule("1"), "bias", torch.ones(3))
    last = cast("StyledConv", network.generator.convs[-1])
    # The encoder's activation and the decoder's each multiply by the gain.
    _set_first(last, "noise.weight", torch.full((1,), 1 / GAIN**2))
    to_rgb = cast("ToRGB", network.generator.to_rgbs[-1])
    width = network.config.width(network.config.size)
    # The last RGB layer's input is (2C,S,S): C channels of the convolution, then C channels of the feature.
    taken = to_rgb.conv.weight.data[0, :, width : width + 3, 0, 0]
    taken.copy_(torch.eye(3) / to_rgb.conv.scale)
    to_rgb.conv.modulation.weight.data.zero_()
    to_rgb.bias.data.fill_(-1.0)


def _set_first(module: nn.Module, name: str, values: Tensor) -> None:
    """Sets the first entries of a parameter along its first dimension."""
    module.get_parameter(name).data[: len(values)] = values
