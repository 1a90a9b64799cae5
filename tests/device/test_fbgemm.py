"""FBGEMM's linear layer is used where it is and right, and only for weights that float16 holds."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from helpers import relative_l2
from torch import Tensor

from gpen_fast.device import fbgemm
from gpen_fast.device.fbgemm import HalfLinear, fits_float16, is_available


@pytest.fixture
def _fresh_cache() -> Iterator[None]:
    is_available.cache_clear()
    yield
    is_available.cache_clear()


@pytest.mark.skipif(not is_available(), reason="no FBGEMM here")
@pytest.mark.parametrize(("out", "into", "rows"), [(33, 70, 1), (2080, 256, 1), (16, 4096, 3)])
def test_weights_are_rounded_and_nothing_else(out: int, into: int, rows: int) -> None:
    x, weight, bias = torch.randn(rows, into), torch.randn(out, into), torch.randn(out)
    got = HalfLinear(weight, bias)(x)
    assert got.dtype == torch.float32
    assert relative_l2(got, F.linear(x.double(), weight.half().double(), bias.double())) <= 1e-5


@pytest.mark.parametrize(("factor", "wanted"), [(1.0, True), (1e-3, True), (1e6, False), (1e-7, False)])
def test_one_row_out_of_range_is_enough(factor: float, wanted: bool) -> None:
    weight = torch.linspace(-2, 1, 8 * 64).cos().view(8, 64)
    weight[3] *= factor
    assert fits_float16(weight) is wanted


def test_a_row_of_zeros_fits() -> None:
    assert fits_float16(torch.zeros(2, 4))


@pytest.mark.usefixtures("_fresh_cache")
def test_missing_operators_mean_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fbgemm, "_ops", SimpleNamespace())
    assert not is_available()


@pytest.mark.usefixtures("_fresh_cache")
def test_wrong_results_mean_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def packed(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        return weight.bfloat16(), bias

    def run(x: Tensor, both: Any) -> Tensor:
        return F.linear(x, both[0].float(), both[1])

    wrong = SimpleNamespace(linear_prepack_fp16=packed, linear_dynamic_fp16=SimpleNamespace(default=run))
    monkeypatch.setattr(fbgemm, "_ops", wrong)
    assert not is_available()
