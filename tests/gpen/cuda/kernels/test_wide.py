"""The wide tensor: which half is which, and what each is made of."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams, activate, empty_nhwc, wide_by_torch


def test_the_convolutions_half_comes_before_the_skip_half() -> None:
    own, feature = torch.randn(2, 3, 4, 4).half(), torch.randn(2, 3, 4, 4).half()
    demodulation, epilogue = torch.rand(2, 3), EpilogueParams(*torch.randn(2, 3), -0.7, torch.randn(3))
    wide = wide_by_torch(own, feature, demodulation, epilogue)
    assert wide.dtype == torch.float32
    first = F.leaky_relu(own.float() * demodulation[:, :, None, None] + epilogue.bias[:, None, None], 0.2)
    torch.testing.assert_close(wide[:, :3], first)
    encoder = F.leaky_relu(feature.float() + epilogue.feature_bias[:, None, None], 0.2)
    second = F.leaky_relu(-0.7 * encoder + epilogue.skip_bias[:, None, None], 0.2)
    torch.testing.assert_close(wide[:, 3:], second)


def test_half_precision_is_activated_in_float32() -> None:
    x = torch.full((1, 1, 1, 1), 60000.0).half()
    assert float(activate(x, torch.tensor([60000.0]))) == 120000.0 - (60000 - float(x))


def test_an_empty_tensor_is_like_another_but_for_its_shape() -> None:
    like = torch.zeros(2, 3, 4, 4, dtype=torch.float16)
    made = empty_nhwc(like, 5, 6, 7)
    assert made.shape == (2, 5, 6, 7)
    assert made.dtype == torch.float16
    assert made.is_contiguous(memory_format=NHWC)
