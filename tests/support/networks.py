"""Small networks, their inputs and tolerances; the layouts of published checkpoints."""

from __future__ import annotations

import copy
import json
from typing import Any

import torch
from helpers import DATA, TINY, reference_input
from torch import Tensor

from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.reference import FullGenerator

# Largest relative L2 against float64 that the project promises, for every published size.
TOLERANCE = {torch.float32: 3e-6, torch.float16: 1.5e-3, torch.bfloat16: 8e-3}
# The same for small networks, a sixteenth as wide: rounding errors average over fewer terms.
TOLERANCE_SMALL = {torch.float32: 3e-6, torch.float16: 2e-3, torch.bfloat16: 1.2e-2}
NARROW = GeneratorConfig(32, style_dim=24, n_mlp=1, widths=(12, 8, 6, 4))
# By published checkpoint: the constructor's arguments, and the names and shapes of the tensors.
LAYOUTS: dict[str, dict[str, Any]] = json.loads((DATA / "state_dict_layout.json").read_text())


def shapes_of(name: str) -> dict[str, tuple[int, ...]]:
    return {key: tuple(shape) for key, shape in LAYOUTS[name]["tensors"].items()}


def faces_of(size: int, number: int) -> Tensor:
    scale = torch.linspace(1, -0.4, number).view(-1, 1, 1, 1)
    return reference_input(size) * scale


def truth(network: FullGenerator, faces: Tensor) -> Tensor:
    """Returns the network's output in float64."""
    with torch.no_grad():
        return copy.deepcopy(network).double()(faces.double())


def with_styles_in_the_thousands(factor: float = 3000.0) -> FullGenerator:
    """Returns a network with large convolution styles; demodulation cancels their size, so the function is the same."""
    state = random_state(TINY)
    for name, tensor in state.items():
        if "modulation" in name and "to_rgb" not in name:
            tensor *= factor
    return build(state)
