"""Writes the averaged weights of a training state as the file that is published: fp16, with its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from gpen_fast.errors import CheckpointError
from gpen_fast.gpen.checkpoint import build


def export_generator(state: Path, out: Path, metadata: Mapping[str, str]) -> int:
    """Writes the averaged generator of a training state.

    Args:
        state: The state's file.
        out: The .safetensors file to write. Missing folders are created.
        metadata: What the file declares about itself.

    Returns:
        The size of the file in bytes.

    Raises:
        CheckpointError: The state holds no generator, or a weight does not fit fp16.
    """
    return write_fp16(build(state), out, metadata)


def write_fp16(network: nn.Module, out: Path, metadata: Mapping[str, str]) -> int:
    """Writes a network's weights as fp16 .safetensors.

    Args:
        network: The network.
        out: The file to write. Missing folders are created.
        metadata: What the file declares about itself.

    Returns:
        The size of the file in bytes.

    Raises:
        CheckpointError: A weight does not fit fp16.
    """
    halves = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    invalid = [name for name, value in halves.items() if not torch.isfinite(value).all()]
    if invalid:
        raise CheckpointError(f"{out}: {invalid[0]} does not fit fp16, whose largest value is 65504.")
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves, out, metadata=dict(metadata))
    return out.stat().st_size
