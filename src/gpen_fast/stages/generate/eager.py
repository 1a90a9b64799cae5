"""The reference network as published; half precision through torch.autocast."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.device.precision import arithmetic
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.plugins import BackendFacts

FACTS = BackendFacts(rank=2, devices=("cpu", "cuda"), help="the published network in PyTorch eager mode")


class Eager:
    """PyTorch eager mode.

    Args:
        network: The network in its published form.
        precision: fp32, tf32, bf16 or fp16.
        device: Where it runs; the network is moved there.
    """

    name = "eager"

    def __init__(self, network: FullGenerator, precision: str, device: torch.device) -> None:
        self.size = network.config.size
        # The published form runs a batch as one convolution of B groups. On a CPU that takes more than twice as long
        # per face as B calls of one face.
        self.default_batch = 8 if device.type == "cuda" else 1
        self._in_batches = device.type == "cuda"
        self._network = network.to(device)
        self._precision = precision
        self._device = device

    def __call__(self, faces: Tensor) -> Tensor:
        """(B,3,S,S) float32 RGB in [-1,1] to the same."""
        return self._run(faces, self._precision)

    def exact(self, faces: Tensor) -> Tensor:
        """The same in fp32."""
        return self._run(faces, "fp32")

    def _run(self, faces: Tensor, precision: str) -> Tensor:
        with arithmetic(precision, self._device):
            if self._in_batches:
                return self._network(faces).float()
            return torch.cat([self._network(face[None]).float() for face in faces])


def create(network: FullGenerator, precision: str, device: torch.device) -> Eager:
    """Takes no options of its own."""
    return Eager(network, precision, device)
