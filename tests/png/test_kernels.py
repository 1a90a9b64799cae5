"""Each kernel gives, bit for bit, what the torch operations give."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gpen_fast.png import kernels, runs
from gpen_fast.png.filter import filter_rows_by_torch
from gpen_fast.png.runs import to_windows, tokens_by_torch


def test_interpreted_kernels_equal_the_torch_operations() -> None:
    triton = pytest.importorskip("triton")
    if _version(triton.__version__) < (3, 7) and _version(np.__version__) >= (2, 4):
        pytest.skip("the interpreter of this Triton counts loops by what NumPy 2.4 refuses")
    script = Path(__file__).with_name("interpreted.py")
    ran = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


POINTER_SIZES = {"tokens": "*i16", "words": "*i64", "values": "*i64", "widths": "*i64", "sums": "*i64"}
POINTER_SIZES |= {"starts": "*i64", "base": "*i64", "counts": "*i64", "lengths": "*i64"}
POINTER_SIZES |= {"rows": "*u8", "filtered": "*u8", "stream": "*u8"}
CONSTANTS = {"BLOCK": 256, "GROUP": 8, "LANES": 512, "BINS": 1024}


@pytest.mark.parametrize(
    ("module", "name"),
    [("filter", "_filter_row"), ("runs", "_tokenise"), ("pack", "_sum_widths"), ("pack", "_write")],
)
def test_kernels_compile_for_a_gpu_that_is_not_here(module: str, name: str) -> None:
    triton = pytest.importorskip("triton")
    compiler = importlib.import_module("triton.backends.compiler")
    kernel = getattr(importlib.import_module(f"gpen_fast.png.kernels.{module}"), name)
    figures = {figure: getattr(runs, figure) for figure in ("WINDOW", "LEAST", "LITERALS", "NONE", "TOKENS")}
    constants = {key: value for key, value in (figures | CONSTANTS).items() if key in kernel.arg_names}
    signature = {key: POINTER_SIZES.get(key, "i32") for key in kernel.arg_names}
    signature |= dict.fromkeys(constants, "constexpr")
    source = triton.compiler.ASTSource(fn=kernel, signature=signature, constexprs=constants)
    compiled = triton.compile(source, target=compiler.GPUTarget("cuda", 90, 32))
    assert compiled.asm["cubin"]


def test_without_a_gpu_or_triton_the_torch_operations_serve() -> None:
    assert not kernels.usable(torch.zeros(1))
    assert torch.cuda.is_available() or not kernels._works_on(torch.device("cuda", 0))


@pytest.mark.cuda
def test_compiled_kernels_equal_the_torch_operations() -> None:
    from gpen_fast.png.kernels.filter import filter_rows
    from gpen_fast.png.kernels.runs import tokens_by_blocks

    rows = torch.randint(-3, 4, (2, 300, 1501)).cumsum(1).remainder(256).to(torch.uint8)
    rows[:, ::3] = torch.randint(0, 256, rows[:, ::3].shape).to(torch.uint8)
    filtered = filter_rows(rows.cuda(), 3)
    assert torch.equal(filtered.cpu(), filter_rows_by_torch(rows, 3))
    windows, lengths = to_windows(filtered.flatten(1)), torch.tensor([300 * 1502, 12_345], device="cuda")
    for found, wanted in zip(
        tokens_by_blocks(windows, lengths), tokens_by_torch(windows.cpu(), lengths.cpu()), strict=True
    ):
        assert torch.equal(found.cpu(), wanted)
