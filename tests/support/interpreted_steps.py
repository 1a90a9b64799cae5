"""Compares the network's kernels, run by Triton's interpreter, with their torch references.

Run it as `TRITON_INTERPRET=1 python interpreted_steps.py`. It needs a process of its own, because Triton reads the
variable when it is first imported.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cuda.generator import CudaGenerator
from gpen_fast.gpen.cuda.kernels.blur import blur_by_kernel, blur_by_torch
from gpen_fast.gpen.cuda.kernels.dense import DenseLayer, dense_by_kernel, dense_by_torch
from gpen_fast.gpen.cuda.kernels.modulate import modulate_by_kernel, modulate_by_torch, modulation
from gpen_fast.gpen.cuda.kernels.rows import packed
from gpen_fast.gpen.cuda.kernels.same import ToRGBParams, end_same_by_kernel, end_same_by_torch
from gpen_fast.gpen.cuda.kernels.steps import BY_TORCH, Steps, trouble
from gpen_fast.gpen.cuda.kernels.up import end_up_by_kernel, end_up_by_torch
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams

# Relative L2. The interpreter truncates to bf16, where a GPU rounds.
TOLERANCE = {torch.float32: 2e-6, torch.float16: 1e-4, torch.bfloat16: 8e-3}
# Relative L2 of a whole network: an activation that rounds the other way changes all layers after it.
NETWORK = {torch.float32: 1e-6, torch.float16: 1e-3}
# (batch, channels, height, width): few channels; partly filled tiles; several tiles and channel blocks; a channel loop.
SHAPES = ((1, 4, 4, 4), (3, 12, 6, 10), (2, 70, 2, 18), (1, 520, 2, 2))
# (faces, inputs, outputs): below and above the block sizes, and no multiple of them.
DENSE = ((1, 2100, 5), (13, 530, 3))
# ((outputs, inputs) of the convolutions), (inputs of the ToRGB layers).
MODULATED = (((5, 17), (2, 2080), (18, 3)), (9, 40))
INTERPRETED = Steps(dense_by_kernel, modulate_by_kernel, blur_by_kernel, end_up_by_kernel, end_same_by_kernel)


def check(got: Tensor | None, wanted: Tensor | None, what: object) -> None:
    assert (got is None) == (wanted is None), what
    if got is not None and wanted is not None:
        assert got.dtype == wanted.dtype, what
        assert got.stride() == wanted.stride(), what
        apart = float((got.double() - wanted.double()).norm() / wanted.double().norm().clamp_min(1e-30))
        assert apart <= TOLERANCE[wanted.dtype], (what, apart)


def compare(shape: tuple[int, int, int, int], dtype: torch.dtype) -> None:
    batch, channels, height, width = shape

    def picture(height: int, width: int) -> Tensor:
        return torch.randn(batch, channels, height, width).to(dtype, memory_format=NHWC)

    epilogue = EpilogueParams(torch.randn(channels), torch.randn(channels), -0.7, torch.randn(channels))
    feature, raw = picture(height, width), picture(height, width)
    # Views into larger tensors, as in the network.
    scale, following = torch.randn(batch, channels + 3)[:, :channels], torch.randn(batch, 3 * channels)
    following = following[:, : 2 * channels]
    weight = torch.randn(batch, 2, 3, 2 * channels + 5)[:, 1, :, : 2 * channels]
    below = torch.randn(batch, 3, height // 2, width // 2)
    case = (shape, dtype)
    check(blur_by_kernel(feature, epilogue.bias), blur_by_torch(feature, epilogue.bias), case)
    larger = (picture(height + 1, width + 1), feature, scale, epilogue, following)
    check(end_up_by_kernel(*larger), end_up_by_torch(*larger), case)
    for scales, smaller in ((following, below), (None, below), (following, None)):
        arguments = (raw, feature, scale, epilogue, scales, ToRGBParams(weight, torch.randn(3), smaller))
        for got, wanted in zip(end_same_by_kernel(*arguments), end_same_by_torch(*arguments), strict=True):
            check(got, wanted, (case, scales is None, smaller is None))


def compare_dense(shape: tuple[int, int, int], storage: torch.dtype) -> None:
    faces, width, outs = shape
    # The largest row is a hundred million times the smallest: each row needs its own scale.
    size = torch.logspace(-4, 4, outs)
    rows, bias = packed(torch.randn(outs, width) * size[:, None], storage), torch.randn(outs) * size
    input_bias = torch.randn(next(number for number in (7, 5, 2) if width % number == 0))
    # Large inputs, and inputs so small that the epsilon of the normalisation matters.
    for x in (torch.randn(faces, width + 3)[:, :width] * 1e4, (torch.randn(width, faces) * 1e-3).half().t()):
        for layer in (
            DenseLayer(rows, bias),
            DenseLayer(rows, bias, activated=False, normalised=True),
            DenseLayer(rows, bias, input_bias=input_bias),
            DenseLayer(rows, bias, activated=False, normalised=True, input_bias=input_bias),
        ):
            found, wanted = dense_by_kernel(x, layer) / size, dense_by_torch(x, layer) / size
            check(found, wanted, (shape, storage, layer))


def compare_modulation(faces: int, size: float, storage: torch.dtype) -> None:
    squares = [torch.randn(shape).square() for shape in MODULATED[0]]
    to = modulation(squares, [torch.randn(3, width) for width in MODULATED[1]], storage)
    places = [*to.inputs, *(slice(to.conv_styles + at.start, to.conv_styles + at.stop) for at in to.rgbs)]
    styles = torch.zeros(faces, to.conv_styles + to.colours.shape[1])
    for place in places:
        styles[:, place] = torch.randn(faces, place.stop - place.start) * size
    (*found, colours), (*wanted, wanted_colours) = (
        modulate_by_kernel(styles, to),
        modulate_by_torch(styles, to),
    )
    check(colours, wanted_colours, (faces, size, storage))
    for got, want, spans in zip(found, wanted, (to.inputs, to.outputs), strict=True):
        for place in spans:
            check(got[:, place], want[:, place], (faces, size, storage, place))


def compare_networks() -> None:
    network = build(random_state(GeneratorConfig(16, style_dim=8, n_mlp=2, widths=(6, 12, 4))))
    for number, dtype in ((2, torch.float32), (1, torch.float16)):
        fused = CudaGenerator(network, dtype, torch.device("cpu"), INTERPRETED)
        faces = torch.rand(number, 3, 16, 16) * 2 - 1
        with torch.no_grad():
            found, wanted = fused(faces), fused.run(faces, BY_TORCH)
        assert float((found - wanted).norm() / wanted.norm()) <= NETWORK[dtype], (dtype, number)


if __name__ == "__main__":
    torch.manual_seed(1)
    for shape in SHAPES:
        compare(shape, torch.float32)
    for dtype in (torch.float16, torch.bfloat16):
        compare(SHAPES[1], dtype)
    for storage in (torch.float32, torch.int16, torch.float16):
        for size in DENSE:
            compare_dense(size, storage)
    for storage in (torch.float32, torch.float16):
        for faces, large in ((1, 1.0), (3, 1e5), (13, 1e-6), (2, 0.0)):
            compare_modulation(faces, large, storage)
    # The same check that a GPU runs before it uses the kernels.
    difference = trouble(torch.device("cpu"), torch.float16, INTERPRETED)
    assert difference == "", difference
    compare_networks()
