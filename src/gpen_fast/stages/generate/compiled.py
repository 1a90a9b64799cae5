"""The folded network through torch.compile. Compilation takes tens of seconds, and its result is cached on disk."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

import torch
from torch import Tensor

from gpen_fast.device.compiler import cache_compiled_code
from gpen_fast.device.precision import arithmetic
from gpen_fast.errors import PluginError, first_line
from gpen_fast.gpen.folded.generator import DTYPES, FoldedGenerator, arithmetic_for
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.plugins import BackendFacts
from gpen_fast.store.folders import user_cache

FACTS = BackendFacts(
    rank=None,
    devices=("cpu", "cuda"),
    help="folded through torch.compile: tens of seconds to build, cached for the next start",
)


class Compiled:
    """The plain folded form, compiled at the first call for each batch size.

    Args:
        network: The network in its published form.
        precision: fp32, tf32, bf16 or fp16.
        device: Where it runs.
    """

    name = "compiled"

    def __init__(self, network: FullGenerator, precision: str, device: torch.device) -> None:
        self.size = network.config.size
        self.default_batch = 8 if device.type == "cuda" else 1
        self._network, self._arithmetic, self._device = network, arithmetic_for(precision), device
        folded = FoldedGenerator(network, DTYPES[precision], device)
        self._compiled: Callable[[Tensor], Tensor] = torch.compile(folded.__call__)
        self._exact: FoldedGenerator | None = None

    def __call__(self, faces: Tensor) -> Tensor:
        """(B,3,S,S) float32 RGB in [-1,1] to the same. Raises PluginError where the compiler fails."""
        with arithmetic(self._arithmetic, self._device):
            if self._device.type == "cuda":
                return self._run(faces)
            # One face per call on a CPU: a batch is no faster there, and each batch size would be compiled anew.
            return torch.cat([self._run(face) for face in faces.split(1)])

    def exact(self, faces: Tensor) -> Tensor:
        """The same in fp32, not compiled: so few faces need it that compiling would take longer than it saves."""
        if self._exact is None:
            self._exact = FoldedGenerator(self._network, torch.float32, self._device)
        with arithmetic("fp32", self._device):
            return self._exact(faces)

    def _run(self, faces: Tensor) -> Tensor:
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self._compiled(faces)
        except TorchDynamoException as error:
            raise PluginError(
                f"backend 'compiled': torch.compile failed ({first_line(error)}). Try --backend folded."
            ) from error


def create(network: FullGenerator, precision: str, device: torch.device) -> Compiled:
    """Compiles nothing yet. Raises PluginError where no C++ compiler is installed."""
    # As torch's inductor chooses it.
    compiler = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(compiler) is None:
        raise PluginError(
            f"backend 'compiled' needs a C++ compiler, and {compiler} is not installed. "
            "Install one (Debian, Ubuntu: apt install g++) or name it in CXX, or try --backend folded."
        )
    cache_compiled_code(user_cache() / "compiled")
    return Compiled(network, precision, device)
