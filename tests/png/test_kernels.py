"""Each kernel gives, bit for bit, what the torch operations give."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gpen_fast.png.filter import filter_rows_by_torch
from gpen_fast.png.runs import to_windows, tokens_by_torch


def test_interpreted_kernels_equal_the_torch_operations() -> None:
    pytest.importorskip("triton")
    script = Path(__file__).with_name("interpreted.py")
    ran = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


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
