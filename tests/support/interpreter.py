"""Triton without a GPU: kernels run by its interpreter, and compiled for a GPU that is not here."""

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


def run_interpreted(script: Path) -> str:
    """Runs a script that compares kernels in a process of its own; returns what it prints."""
    triton = pytest.importorskip("triton")
    if _version(triton.__version__) < (3, 7) and _version(np.__version__) >= (2, 4):
        pytest.skip("the interpreter of this Triton counts loops by what NumPy 2.4 refuses")
    ran = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def compiled_for_hopper(
    kernel: Any, signature: Mapping[str, str], constants: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """The assembly (PTX) of a jitted function, seen to become machine code too.

    signature: its arguments' types, those of `constants` left out. Pointers and whole numbers are taken to be
    multiples of 16, as those of a network's tensors are.
    """
    triton = pytest.importorskip("triton")
    compiler = importlib.import_module("triton.backends.compiler")
    types = dict(signature) | dict.fromkeys(constants, "constexpr")
    ordered = {name: types[name] for name in kernel.arg_names}
    even = [place for place, kind in enumerate(ordered.values()) if kind == "i32" or kind.startswith("*")]
    source = triton.compiler.ASTSource(
        fn=kernel,
        signature=ordered,
        constexprs=dict(constants),
        attrs={(place,): [["tt.divisibility", 16]] for place in even},
    )
    made = triton.compile(source, target=compiler.GPUTarget("cuda", 90, 32), options=dict(options)).asm
    assert made["cubin"]
    return made["ptx"]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])
