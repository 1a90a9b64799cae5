"""From a training state to a file that is published: averaged weights in fp16, with what they declare."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from gpen_fast.errors import CheckpointError
from gpen_fast.gpen.checkpoint import build


def export(state: Path, out: Path, declared: dict[str, str]) -> int:
    """Writes the averaged generator of `state` as fp16 .safetensors with the metadata `declared`; returns its bytes.

    Raises CheckpointError where a weight does not fit fp16.
    """
    return write(build(state), out, declared)


def write(network: nn.Module, out: Path, declared: dict[str, str]) -> int:
    """The network's weights as fp16 .safetensors; returns its bytes. Raises CheckpointError."""
    halves = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    invalid = [name for name, value in halves.items() if not torch.isfinite(value).all()]
    if invalid:
        raise CheckpointError(f"{out}: {invalid[0]} does not fit fp16, whose largest value is 65504.")
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves, out, metadata=declared)
    return out.stat().st_size
