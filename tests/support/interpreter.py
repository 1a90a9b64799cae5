"""Triton without a GPU: runs kernels in its interpreter, and compiles them for a GPU that is absent."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def run_interpreted(script: Path) -> None:
    """Runs a script that compares kernels in a process of its own; a failure shows the script's output."""
    triton = pytest.importorskip("triton")
    if _version(triton.__version__) < (3, 7) and _version(np.__version__) >= (2, 4):
        pytest.skip("this Triton's interpreter converts loop bounds in a way that NumPy 2.4 refuses")
    ran = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def compiled_for_hopper(
    kernel: Any, signature: Mapping[str, str], constants: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """Compiles a jitted function to machine code and returns its assembly (PTX).

    `signature` holds the types of all arguments that `constants` lacks. Pointers and integers are declared as multiples
    of 16, as those of a network's tensors are.
    """
    triton = pytest.importorskip("triton")
    compiler = importlib.import_module("triton.backends.compiler")
    types = dict(signature) | dict.fromkeys(constants, "constexpr")
    ordered = {name: types[name] for name in kernel.arg_names}
    aligned = [place for place, kind in enumerate(ordered.values()) if kind == "i32" or kind.startswith("*")]
    source = triton.compiler.ASTSource(
        fn=kernel,
        signature=ordered,
        constexprs=dict(constants),
        attrs={(place,): [["tt.divisibility", 16]] for place in aligned},
    )
    assembly = triton.compile(source, target=compiler.GPUTarget("cuda", 90, 32), options=dict(options)).asm
    assert assembly["cubin"]
    return assembly["ptx"]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])
