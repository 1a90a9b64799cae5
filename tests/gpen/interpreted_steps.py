"""The kernels against their references, run by Triton's interpreter: `TRITON_INTERPRET=1 python interpreted_steps.py`.

A process of its own, since Triton reads the variable when it is first imported.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.fused import FusedGenerator
from gpen_fast.gpen.kernels.blur import blur_by_kernel, blur_by_torch
from gpen_fast.gpen.kernels.same import Colours, end_same_by_kernel, end_same_by_torch
from gpen_fast.gpen.kernels.steps import BY_TORCH, Steps
from gpen_fast.gpen.kernels.up import end_up_by_kernel, end_up_by_torch
from gpen_fast.gpen.kernels.wide import NHWC, Ending
from gpen_fast.gpen.spec import Figures

# The interpreter cuts what does not fit into bf16, where a GPU rounds it.
TOLERANCE = {torch.float32: 1e-6, torch.float16: 1e-4, torch.bfloat16: 8e-3}
# Few channels; rows and columns that fill no tile; several tiles across, several parts of channels; a loop over those.
SHAPES = ((1, 4, 4, 4), (3, 12, 6, 10), (2, 70, 2, 18), (1, 520, 2, 2))
INTERPRETED = Steps(blur_by_kernel, end_up_by_kernel, end_same_by_kernel)


def check(got: Tensor | None, wanted: Tensor | None, what: object) -> None:
    assert (got is None) == (wanted is None), what
    if got is not None and wanted is not None:
        assert got.dtype == wanted.dtype, what
        assert got.stride() == wanted.stride(), what
        apart = float((got.double() - wanted.double()).norm() / wanted.double().norm())
        assert apart <= TOLERANCE[wanted.dtype], (what, apart)


def compare(shape: tuple[int, int, int, int], dtype: torch.dtype) -> None:
    batch, channels, height, width = shape

    def picture(height: int, width: int) -> Tensor:
        return torch.randn(batch, channels, height, width).to(dtype, memory_format=NHWC)

    ending = Ending(torch.randn(channels), torch.randn(channels), -0.7, torch.randn(channels))
    feature, raw = picture(height, width), picture(height, width)
    # Parts of larger tensors, as the network gives them.
    scale, following = torch.randn(batch, channels + 3)[:, :channels], torch.randn(batch, 3 * channels)
    following = following[:, : 2 * channels]
    weight = torch.randn(batch, 2, 3, 2 * channels + 5)[:, 1, :, : 2 * channels]
    below = torch.randn(batch, 3, height // 2, width // 2)
    told = (shape, dtype)
    check(blur_by_kernel(feature, ending.bias), blur_by_torch(feature, ending.bias), told)
    larger = (picture(height + 1, width + 1), feature, scale, ending, following)
    check(end_up_by_kernel(*larger), end_up_by_torch(*larger), told)
    for scales, smaller in ((following, below), (None, below), (following, None)):
        given = (raw, feature, scale, ending, scales, Colours(weight, torch.randn(3), smaller))
        for got, wanted in zip(end_same_by_kernel(*given), end_same_by_torch(*given), strict=True):
            check(got, wanted, (told, scales is None, smaller is None))


def compare_networks() -> None:
    network = build(random_state(Figures(16, style_dim=8, n_mlp=1, widths=(6, 12, 4))))
    fused = FusedGenerator(network, torch.float32, torch.device("cpu"), INTERPRETED)
    faces = torch.rand(2, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        check(fused(faces), fused.run(faces, BY_TORCH), "network")


if __name__ == "__main__":
    torch.manual_seed(1)
    for shape in SHAPES:
        compare(shape, torch.float32)
    for dtype in (torch.float16, torch.bfloat16):
        compare(SHAPES[1], dtype)
    compare_networks()
