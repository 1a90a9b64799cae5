"""Several processes train as one: their gradients are averaged once a step."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import nn


def share_gradients(network: nn.Module) -> None:
    """Every process gets the mean over the processes, in one message; nothing happens where there is only one."""
    if not dist.is_initialized():
        return
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    pieces = (flat / dist.get_world_size()).split([gradient.numel() for gradient in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))
