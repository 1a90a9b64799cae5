"""The reference network as it stands, half precision under torch.autocast."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.device.precision import arithmetic
from gpen_fast.gpen.reference import FullGenerator


class Eager:
    """PyTorch eager mode."""

    name = "eager"

    def __init__(self, network: FullGenerator, precision: str, device: torch.device) -> None:
        self.size = network.config.size
        # The published form runs a batch as one convolution of B groups, which a CPU does at under half the
        # speed per face of B single calls.
        self.default_batch = 8 if device.type == "cuda" else 1
        self._at_once = device.type == "cuda"
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
            if self._at_once:
                return self._network(faces).float()
            return torch.cat([self._network(face[None]).float() for face in faces])


def create(network: FullGenerator, precision: str, device: torch.device) -> Eager:
    """Takes no options."""
    return Eager(network, precision, device)
