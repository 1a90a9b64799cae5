"""Several processes train one network: their gradients are averaged in every step."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import nn


def average_gradients(network: nn.Module) -> None:
    """Replaces every gradient by its mean over the processes; does nothing in a run of one process.

    All gradients travel in one message, because each message has a fixed cost.
    """
    if not dist.is_initialized():
        return
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    pieces = (flat / dist.get_world_size()).split([gradient.numel() for gradient in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))
