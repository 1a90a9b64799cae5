"""oneDNN's convolutions are used where they are and right, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from helpers import relative_l2

from gpen_fast.device import onednn
from gpen_fast.device.onednn import Conv, PointwiseConv, supports

NEEDED = pytest.mark.skipif(not supports(torch.float32), reason="no oneDNN convolutions here")


@pytest.fixture
def _fresh_cache() -> Iterator[None]:
    supports.cache_clear()
    yield
    supports.cache_clear()


@NEEDED
@pytest.mark.parametrize("side", [None, 10], ids=["as given", "laid out"])
@pytest.mark.parametrize(("stride", "groups", "padding"), [(1, 1, 1), (2, 1, 0), (1, 8, 2)])
def test_convolution(side: int | None, stride: int, groups: int, padding: int) -> None:
    x = torch.randn(1, 8, 10, 10).contiguous(memory_format=torch.channels_last)
    weight, bias = torch.randn(8, 8 // groups, 3, 3), torch.randn(8)
    conv = Conv(weight, side, stride=stride, groups=groups, padding=padding)
    wanted = F.conv2d(x, weight, stride=stride, groups=groups, padding=padding)
    assert relative_l2(conv(x), wanted) <= 1e-6
    biased = F.leaky_relu(wanted + bias[:, None, None], 0.2)
    assert relative_l2(conv.activated(x, bias), biased) <= 1e-6
    assert conv(x).is_contiguous(memory_format=torch.channels_last)


@NEEDED
def test_up_convolution_with_a_weight_of_the_call() -> None:
    x, weight = torch.randn(1, 8, 6, 6).contiguous(memory_format=torch.channels_last), torch.randn(8, 4, 3, 3)
    wanted = F.conv_transpose2d(x, weight, stride=2)
    assert relative_l2(Conv(weight, 6, stride=2, up=True)(x), wanted) <= 1e-6
    assert relative_l2(Conv(stride=2, up=True)(x, weight=weight), wanted) <= 1e-6


@NEEDED
@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_pixelwise_convolution_of_a_batch(slope: float) -> None:
    x = torch.randn(3, 8, 9, 7).contiguous(memory_format=torch.channels_last)
    weight, bias = torch.randn(5, 8), torch.randn(5)
    wanted = F.conv2d(x, weight[:, :, None, None], bias)
    made = PointwiseConv(weight, slope)
    assert relative_l2(made(x, bias), wanted) <= 1e-6
    assert relative_l2(made.activated(x, bias), F.leaky_relu(wanted, slope)) <= 1e-6


@NEEDED
@pytest.mark.usefixtures("_fresh_cache")
def test_the_try_draws_no_random_numbers() -> None:
    state = torch.get_rng_state()
    assert supports(torch.float32)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.usefixtures("_fresh_cache")
def test_not_available_without_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "_ops", SimpleNamespace())
    assert not supports(torch.float32)


@NEEDED
@pytest.mark.usefixtures("_fresh_cache")
def test_not_available_where_the_answer_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Conv.activated
    monkeypatch.setattr(Conv, "activated", lambda *given, **named: true(*given, **named).abs())
    assert not supports(torch.float32)


def test_float16_is_not_its_business() -> None:
    assert not supports(torch.float16)
