"""The network folded for inference: the same function in a third to a half of the time on a CPU.

On CUDA its elementwise work runs in Triton kernels and its calls are replayed as graphs, where both pass their checks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gpen_fast.device.precision import arithmetic
from gpen_fast.gpen.cuda.graph_recorder import CudaGraphRecorder
from gpen_fast.gpen.cuda.graphs import Graphs
from gpen_fast.gpen.folded.generator import arithmetic_for
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.gpen.select import form_without_kernels, select_form
from gpen_fast.plugins import BackendFacts

FACTS = BackendFacts(
    rank=1,
    devices=("cpu", "cuda"),
    help="folded for inference; Triton kernels and CUDA graphs on a GPU",
)


class Folded:
    """The folded form without autocast: it chooses each step's dtype itself.

    Args:
        network: The network in its published form.
        precision: fp32, tf32, bf16 or fp16.
        device: Where it runs.
    """

    name = "folded"

    def __init__(self, network: FullGenerator, precision: str, device: torch.device) -> None:
        self.size = network.config.size
        self._network, self._arithmetic, self._device = network, arithmetic_for(precision), device
        self._form = select_form(network, precision, device)
        self.default_batch = self._form.batch
        self._exact: Callable[[Tensor], Tensor] | None = None
        self._graphs = (
            Graphs(self._whole, self.size, CudaGraphRecorder(device)) if device.type == "cuda" else None
        )

    @property
    def notes(self) -> list[str]:
        """Why it runs slower than it could; empty where it does not."""
        graphs = self._graphs.notes if self._graphs else []
        return [*filter(None, [self._form.note]), *graphs]

    def __call__(self, faces: Tensor) -> Tensor:
        """(B,3,S,S) float32 RGB in [-1,1] to the same."""
        return self._graphs(faces) if self._graphs else self._whole(faces)

    def exact(self, faces: Tensor) -> Tensor:
        """The same in fp32; its weights are folded at the first call, since most runs never need them."""
        if self._exact is None:
            self._exact = form_without_kernels(self._network, torch.float32, self._device)
        with arithmetic("fp32", self._device):
            if self._graphs:
                return self._exact(faces)
            return torch.cat([self._exact(face) for face in faces.split(1)])

    def expect(self, batch: int) -> None:
        """See `Graphed`."""
        if self._graphs:
            self._graphs.expect(batch)

    def relieve(self, batch: int) -> bool:
        """See `Graphed`."""
        return self._graphs is not None and self._graphs.relieve(batch)

    def without_graphs(self) -> None:
        """Runs every call as single launches from now on: for measuring what graphs gain."""
        self._graphs = None

    def _whole(self, faces: Tensor) -> Tensor:
        """The call that a graph captures."""
        with arithmetic(self._arithmetic, self._device):
            return self._form.run(faces)


def create(network: FullGenerator, precision: str, device: torch.device) -> Folded:
    """Takes no options of its own."""
    return Folded(network, precision, device)
