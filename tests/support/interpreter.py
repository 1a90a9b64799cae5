"""Triton without a GPU: runs kernels in its interpreter, and compiles them for a GPU that is absent."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpen_fast.gpen.cuda.kernels._jit import OPTIONS


def run_interpreted(script: Path) -> str:
    """Runs a script that compares kernels in a process of its own; returns its output, or fails with its errors."""
    triton = pytest.importorskip("triton")
    if _version(triton.__version__) < (3, 7) and _version(np.__version__) >= (2, 4):
        pytest.skip("this Triton's interpreter counts loops in a way that NumPy 2.4 refuses")
    ran = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def interpreted_failures(script: Path) -> dict[str, str]:
    """Returns what a script that compares kernels prints: by name, the difference of each or an empty string."""
    return json.loads(run_interpreted(script))


def compiled_for_hopper(
    kernel: Any, signature: Mapping[str, str], constants: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """Compiles a kernel for an H100 to machine code and returns its assembly (PTX).

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
    compiled = triton.compile(source, target=compiler.GPUTarget("cuda", 90, 32), options=dict(options)).asm
    assert compiled["cubin"]
    return compiled["ptx"]


def assert_moves_16_bytes(kernel: Any, channels: int) -> None:
    """Asserts that a picture kernel moves half precision 16 bytes at a time, the most that one access can."""
    pytest.importorskip("triton")
    strides = [name for name in kernel.arg_names if name.endswith("_stride")]
    types = dict.fromkeys(kernel.arg_names, "*fp32") | dict.fromkeys(("raw", "feature", "out"), "*fp16")
    types |= dict.fromkeys(("height", "width", *strides), "i32") | {"skip_scale": "fp32"}
    sizes = {"channels": channels, "C": channels, "X": 1024 // channels, "P": 2048 // channels}
    constants = sizes | {"WRITTEN": True, "ADDED": True, "LEAK": 0.2}
    constants = {name: value for name, value in constants.items() if name in kernel.arg_names}
    assembly = compiled_for_hopper(kernel, types, constants, OPTIONS)
    assert "ld.global.v4" in assembly
    assert "st.global.v4" in assembly
    assert ".global.b16" not in assembly


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])
