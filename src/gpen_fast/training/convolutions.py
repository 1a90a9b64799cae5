"""What the trainings of the detector's networks share: first weights, the published form, saved states."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from gpen_fast.device.threads import seeded
from gpen_fast.errors import CheckpointError, first_line
from gpen_fast.stages.detect.retina.compact import fold_normalisations

_Net = TypeVar("_Net", bound=nn.Module)


def initialise(network: nn.Module, seed: int) -> torch.Generator:
    """Gives a network its first weights, which depend on the seed alone: He's initialisation, and biases of zero.

    Returns:
        The generator, for layers that the caller initialises otherwise.
    """
    generator = seeded(seed)
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    return generator


def published_form(network: _Net) -> _Net:
    """Returns a copy whose batch normalisations are folded into the convolutions, as it is published."""
    plain = copy.deepcopy(network).eval()
    fold_normalisations(plain)
    return plain.requires_grad_(False)


def read_averaged(path: Path, what: str, create: Callable[[Mapping[str, Tensor]], _Net]) -> _Net:
    """Reads the averaged network of a training state.

    Args:
        path: The state.
        what: The network in words, for errors.
        create: Builds the network for weights of these names and shapes.

    Returns:
        The network in its published form.

    Raises:
        CheckpointError: The file is damaged, or it holds another network.
    """
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)["g_ema"]
        network = create(weights)
        network.load_state_dict(weights)
    except Exception as cause:  # torch raises many types for damaged and foreign files
        raise CheckpointError(f"{path}: not a training state of {what}: {first_line(cause)}") from cause
    return published_form(network)
