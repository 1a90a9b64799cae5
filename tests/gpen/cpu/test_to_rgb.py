"""RGB of one face: the layer's own arithmetic, whichever product is chosen."""

from __future__ import annotations

import pytest
import torch
from helpers import relative_l2

from gpen_fast.device import onednn
from gpen_fast.gpen.cpu import to_rgb as to_rgb
from gpen_fast.gpen.cpu.to_rgb import CpuToRGB
from gpen_fast.gpen.layers import Upsample
from gpen_fast.gpen.reference import ToRGB

pytestmark = pytest.mark.skipif(
    not all(onednn.supports(dtype) for dtype in onednn.DTYPES), reason="no oneDNN convolutions here"
)

CLOSE = {torch.float32: 1e-6, torch.bfloat16: 1e-2}


@pytest.mark.parametrize("dtype", onednn.DTYPES, ids=str)
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize(
    "turned",
    [{"_WIDE": 1}, {"_WIDE": 1, "_FEW": 0},
     {"_WIDE": 999}, {"_MANY": 0}],
    ids=["products", "rounded products", "convolutions", "many"],
)  # fmt: skip
def test_contribution_and_sum(
    turned: dict[str, int], upsample: bool, parts: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in turned.items():
        monkeypatch.setattr(to_rgb, name, value)
    layer = ToRGB(16, 8, upsample=upsample)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(1, 16, 8, 8).to(dtype, memory_format=torch.channels_last)
    weight, rgb = torch.randn(3, 16), torch.randn(1, 3, 4, 4)
    wanted = torch.nn.functional.conv2d(x.float(), weight[:, :, None, None]) + layer.bias.detach()
    made = CpuToRGB(layer, 8, dtype, parts)
    if upsample:
        out = torch.empty(1, 3, 8, 8, memory_format=torch.channels_last)
        wanted = wanted + Upsample()(rgb)
    with torch.inference_mode():
        split = [part.contiguous(memory_format=torch.channels_last) for part in x.chunk(parts, dim=1)]
        got = made(split, weight, rgb if upsample else None, out if upsample else None)
    assert got.dtype == torch.float32
    assert relative_l2(got, wanted) <= CLOSE[dtype]
    assert not upsample or got.data_ptr() == out.data_ptr()
