"""The folded network through torch.compile: tens of seconds to build, kept for the next start. Never picked by auto."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gpen_fast.device.precision import arithmetic
from gpen_fast.errors import PluginError, first_line
from gpen_fast.gpen.folded.generator import DTYPES, FoldedGenerator, arithmetic_for
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.store.folders import user_cache


class Compiled:
    """The plain folded form, compiled at the first call for each number of faces."""

    name = "compiled"

    def __init__(self, network: FullGenerator, precision: str, device: torch.device) -> None:
        self.size = network.config.size
        self.default_batch = 8 if device.type == "cuda" else 1
        self._network, self._arithmetic, self._device = network, arithmetic_for(precision), device
        folded = FoldedGenerator(network, DTYPES[precision], device)
        self._compiled: Any = torch.compile(folded.__call__)
        self._exact: FoldedGenerator | None = None

    def __call__(self, faces: Tensor) -> Tensor:
        """(B,3,S,S) float32 RGB in [-1,1] to the same. Raises PluginError where the compiler fails."""
        with arithmetic(self._arithmetic, self._device):
            if self._device.type == "cuda":
                return self._run(faces)
            return torch.cat([self._run(face) for face in faces.split(1)])

    def exact(self, faces: Tensor) -> Tensor:
        """The same in fp32, not compiled."""
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
    """Raises PluginError where no C++ compiler is installed."""
    wanted = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(wanted) is None:
        raise PluginError(
            f"backend 'compiled' needs a C++ compiler, and {wanted} is not there. "
            "Install one (Debian, Ubuntu: apt install g++) or name it in CXX, or try --backend folded."
        )
    # Left alone, torch names a folder among the temporary files, and does so as soon as it is asked anything.
    named = os.environ.get("TORCHINDUCTOR_CACHE_DIR", "")
    if not named or Path(named).name.startswith("torchinductor_"):
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(user_cache() / "compiled")
    return Compiled(network, precision, device)
