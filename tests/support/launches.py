"""Records kernel launches and compiles their kernels with ptxas, without a GPU.

`launches` collects the launches inside a block, with their arguments, and runs none of them; `compiled` compiles one.
Neither needs a GPU.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

_TYPES = {
    torch.bool: "i1", torch.uint8: "u8", torch.int8: "i8", torch.int16: "i16", torch.int32: "i32", torch.int64: "i64",
    torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32",
}  # fmt: skip
_WARP = 32
# Compute capabilities to compile for; "80 90 120" in the variable for more than one.
CAPABILITIES = [int(each) for each in os.environ.get("GPEN_FAST_CAPABILITIES", "90").split()]


@dataclass(frozen=True)
class Launch:
    """A kernel with the grid, the arguments and the options (such as num_warps) of one launch."""

    kernel: Any
    grid: Any
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def name(self) -> str:
        return self.kernel.__name__


@dataclass(frozen=True)
class Resources:
    """The resources of one program: registers and stack bytes per thread, bytes of shared memory."""

    registers: int
    stack: int
    shared: int


@contextlib.contextmanager
def launches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Launch]]:
    """Collects the launches inside the block. None of them runs: outputs keep their uninitialised memory."""
    jit = pytest.importorskip("triton.runtime.jit")
    found: list[Launch] = []

    def note(kernel: Any, *arguments: Any, grid: Any, warmup: bool, **options: Any) -> None:
        found.append(Launch(kernel, grid, arguments, options))

    with monkeypatch.context() as patched:
        patched.setattr(jit.JITFunction, "run", note)
        yield found


def compiled(launch: Launch, capability: int) -> Resources:
    """Compiles for a CUDA device of this capability, such as 90. The compiler gets no promise of alignment."""
    compiler = importlib.import_module("triton.backends.compiler")
    triton = importlib.import_module("triton")
    signature, constants = {}, {}
    for parameter, argument in zip(launch.kernel.params, launch.arguments, strict=True):
        if parameter.is_constexpr:
            signature[parameter.name], constants[parameter.name] = "constexpr", argument
        else:
            signature[parameter.name] = _type(argument)
    source = triton.compiler.ASTSource(fn=launch.kernel, signature=signature, constexprs=constants)
    target = compiler.GPUTarget("cuda", capability, _WARP)
    binary = triton.compile(source, target=target, options=launch.options)
    return Resources(*_registers_and_stack(binary.asm["cubin"]), binary.metadata.shared)


def assert_compiles(found: list[Launch], capability: int) -> None:
    """Asserts that each kernel compiles, spills no registers and fits into the shared memory of every GPU."""
    assert found
    for launch in found:
        needs = compiled(launch, capability)
        assert needs.stack == 0, f"{launch.name} spills registers"
        assert needs.shared <= 48 << 10, launch.name


def _type(argument: Any) -> str:
    if isinstance(argument, torch.Tensor):
        return f"*{_TYPES[argument.dtype]}"
    if isinstance(argument, float):
        return "fp32"
    return "i32" if -(1 << 31) <= argument < 1 << 31 else "i64"


def _registers_and_stack(cubin: bytes) -> tuple[int, int]:
    triton = importlib.import_module("triton")
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        command = [str(tool), "--dump-resource-usage", file.name]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"REG:(\d+) STACK:(\d+)", output)
    assert found, output
    return int(found[1]), int(found[2])
