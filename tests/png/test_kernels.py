"""Each kernel gives, bit for bit, what the torch operations give."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from interpreter import compile_for_hopper, run_interpreted

from gpen_fast.png import kernels, runs
from gpen_fast.png.filter import filter_rows_by_torch
from gpen_fast.png.runs import to_windows, tokens_by_torch


def test_interpreted_kernels_equal_the_torch_operations() -> None:
    run_interpreted(Path(__file__).with_name("interpreted.py"))


POINTER_SIZES = {"tokens": "*i16", "words": "*i64", "values": "*i64", "widths": "*i64", "sums": "*i64"}
POINTER_SIZES |= {"starts": "*i64", "base": "*i64", "counts": "*i64", "lengths": "*i64"}
POINTER_SIZES |= {"rows": "*u8", "filtered": "*u8", "stream": "*u8"}
CONSTANTS = {"BLOCK": 256, "GROUP": 8, "LANES": 512, "BINS": 1024}


@pytest.mark.parametrize(
    ("module", "name"),
    [("filter", "_filter_row"), ("runs", "_tokenise"), ("pack", "_sum_widths"), ("pack", "_write")],
)
def test_kernels_compile_for_a_gpu_that_is_not_here(module: str, name: str) -> None:
    pytest.importorskip("triton")
    kernel = getattr(importlib.import_module(f"gpen_fast.png.kernels.{module}"), name)
    figures = {figure: getattr(runs, figure) for figure in ("WINDOW", "LEAST", "LITERALS", "NONE", "TOKENS")}
    constants = {key: value for key, value in (figures | CONSTANTS).items() if key in kernel.arg_names}
    signature = {key: POINTER_SIZES.get(key, "i32") for key in kernel.arg_names}
    assert compile_for_hopper(kernel, signature, constants)


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
