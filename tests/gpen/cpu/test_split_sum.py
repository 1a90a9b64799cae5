"""Sums in parts: the same function, nearer to it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.device import onednn
from gpen_fast.device.onednn import NHWC, Conv
from gpen_fast.gpen.cpu.split_sum import SplitSumConv

pytestmark = pytest.mark.skipif(not onednn.supports(torch.float32), reason="no oneDNN convolutions here")


def error(got: Tensor, wanted: Tensor) -> float:
    return float((got.double() - wanted).norm() / wanted.norm())


@pytest.mark.parametrize(
    ("into", "out", "kernel", "side"), [(512, 48, 3, 9), (256, 5, 3, 5), (8192, 64, 1, 1)]
)
def test_it_is_a_convolution_and_errs_by_less_than_one_sum(
    into: int, out: int, kernel: int, side: int
) -> None:
    random = torch.Generator().manual_seed(3)
    weight = torch.randn(out, into, kernel, kernel, generator=random)
    x = torch.randn(1, into, side, side, generator=random).to(memory_format=NHWC)
    bias = torch.randn(out, generator=random)
    wanted = F.leaky_relu(F.conv2d(x.double(), weight.double(), bias.double(), stride=2), 0.2)
    with torch.no_grad():
        parted = SplitSumConv(weight, side, stride=2).activated(x, bias)
        whole = Conv(weight, side, stride=2).activated(x, bias)
    assert parted.shape == wanted.shape and parted.is_contiguous(memory_format=NHWC)
    assert error(parted, wanted) <= 0.8 * error(whole, wanted)


@pytest.mark.parametrize("into", [3, 100, 130, 200])
def test_few_channels_stay_one_sum(into: int) -> None:
    weight, x, bias = torch.ones(4, into, 1, 1), torch.ones(1, into, 1, 1), torch.full((4,), -1.0)
    with torch.no_grad():
        assert torch.allclose(
            SplitSumConv(weight, 1).activated(x, bias), torch.full((1, 4, 1, 1), into - 1.0)
        )
