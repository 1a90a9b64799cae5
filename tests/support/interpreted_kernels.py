"""Compares kernels with their references in Triton's interpreter: `TRITON_INTERPRET=1 python interpreted_kernels.py`.

Prints a JSON object: by kernel what was wrong, or an empty string. A process of its own, since Triton reads the
variable when it is first imported.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable

import torch
from torch import Tensor

from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cuda.generator import CudaGenerator
from gpen_fast.gpen.cuda.kernels.blur import blur_by_kernel, blur_by_torch
from gpen_fast.gpen.cuda.kernels.dense import DenseLayer, dense_by_kernel, dense_by_torch
from gpen_fast.gpen.cuda.kernels.kernel_set import REFERENCE, KernelSet, kernel_failure
from gpen_fast.gpen.cuda.kernels.modulate import modulate_by_kernel, modulate_by_torch, plan_modulation
from gpen_fast.gpen.cuda.kernels.rows import pack_rows
from gpen_fast.gpen.cuda.kernels.same import ToRGBParams, same_epilogue_by_kernel, same_epilogue_by_torch
from gpen_fast.gpen.cuda.kernels.up import up_epilogue_by_kernel, up_epilogue_by_torch
from gpen_fast.gpen.cuda.kernels.wide import NHWC, EpilogueParams

CPU = torch.device("cpu")
# Relative L2. The interpreter truncates to bf16, where a GPU rounds.
TOLERANCE = {torch.float32: 2e-6, torch.float16: 1e-4, torch.bfloat16: 8e-3}
# An activation that rounds to the other neighbour in half precision changes the layers after it.
NETWORK = {torch.float32: 1e-6, torch.float16: 1e-3}
# (batch, channels, height, width): few channels; partly filled tiles; several tiles and channel blocks; a channel loop.
SHAPES = ((1, 4, 4, 4), (3, 12, 6, 10), (2, 70, 2, 18), (1, 520, 2, 2))
CASES = [
    *((shape, torch.float32) for shape in SHAPES),
    (SHAPES[1], torch.float16),
    (SHAPES[1], torch.bfloat16),
]
# (faces, inputs, outputs): below and above the block sizes, and no multiple of them.
DENSE = ((1, 2100, 5), (13, 530, 3))
# ((outputs, inputs) of the convolutions), (inputs of the ToRGB layers).
MODULATED = (((5, 17), (2, 2080), (18, 3)), (9, 40))
INTERPRETED = KernelSet(
    dense_by_kernel, modulate_by_kernel, blur_by_kernel, up_epilogue_by_kernel, same_epilogue_by_kernel
)


def check(got: Tensor | None, wanted: Tensor | None, case: object) -> None:
    assert (got is None) == (wanted is None), case
    if got is not None and wanted is not None:
        assert got.dtype == wanted.dtype, case
        assert got.stride() == wanted.stride(), case
        error = float((got.double() - wanted.double()).norm() / wanted.double().norm().clamp_min(1e-30))
        assert error <= TOLERANCE[wanted.dtype], (case, error)


class Example:
    """Arguments of the three kernels that read pictures, of one shape and dtype."""

    def __init__(self, shape: tuple[int, int, int, int], dtype: torch.dtype) -> None:
        batch, channels, self.height, self.width = shape
        self.shape, self.dtype = shape, dtype
        self.epilogue = EpilogueParams(*torch.randn(2, channels), -0.7, torch.randn(channels))
        self.feature = self.picture(self.height, self.width)
        # Slices of wider tensors, as in the network.
        self.demodulation = torch.randn(batch, channels + 3)[:, :channels]
        self.next_scale = torch.randn(batch, 3 * channels)[:, : 2 * channels]
        self.rgb_weight = torch.randn(batch, 2, 3, 2 * channels + 5)[:, 1, :, : 2 * channels]
        self.smaller = torch.randn(batch, 3, self.height // 2, self.width // 2)

    def picture(self, height: int, width: int) -> Tensor:
        return torch.randn(*self.shape[:2], height, width).to(self.dtype, memory_format=NHWC)


def compare_blur() -> None:
    for case in CASES:
        example = Example(*case)
        given = (example.feature, example.epilogue.bias)
        check(blur_by_kernel(*given), blur_by_torch(*given), case)


def compare_up_epilogue() -> None:
    for case in CASES:
        example = Example(*case)
        raw = example.picture(example.height + 1, example.width + 1)
        given = (raw, example.feature, example.demodulation, example.epilogue, example.next_scale)
        check(up_epilogue_by_kernel(*given), up_epilogue_by_torch(*given), case)


def compare_same_epilogue() -> None:
    for case in CASES:
        example = Example(*case)
        raw = example.picture(example.height, example.width)
        scales, rgb = example.next_scale, example.smaller
        for scale, smaller in ((scales, rgb), (None, rgb), (scales, None)):
            to_rgb = ToRGBParams(example.rgb_weight, torch.randn(3), smaller)
            given = (raw, example.feature, example.demodulation, example.epilogue, scale, to_rgb)
            results = zip(same_epilogue_by_kernel(*given), same_epilogue_by_torch(*given), strict=True)
            for got, wanted in results:
                check(got, wanted, (case, scale is None, smaller is None))


def compare_dense() -> None:
    for storage in (torch.float32, torch.int16, torch.float16):
        for shape in DENSE:
            compare_dense_layers(shape, storage)


def compare_dense_layers(shape: tuple[int, int, int], storage: torch.dtype) -> None:
    faces, width, outs = shape
    # The largest row is a hundred million times the smallest: each row needs its own scale.
    size = torch.logspace(-4, 4, outs)
    rows, bias = pack_rows(torch.randn(outs, width) * size[:, None], storage), torch.randn(outs) * size
    input_bias = torch.randn(next(number for number in (7, 5, 2) if width % number == 0))
    # Large inputs, and inputs so small that the epsilon of the norm matters.
    for x in (torch.randn(faces, width + 3)[:, :width] * 1e4, (torch.randn(width, faces) * 1e-3).half().t()):
        for layer in (
            DenseLayer(rows, bias),
            DenseLayer(rows, bias, activated=False, normalised=True),
            DenseLayer(rows, bias, input_bias=input_bias),
            DenseLayer(rows, bias, activated=False, normalised=True, input_bias=input_bias),
        ):
            got, wanted = dense_by_kernel(x, layer) / size, dense_by_torch(x, layer) / size
            check(got, wanted, (shape, storage, layer))


def compare_modulate() -> None:
    for storage in (torch.float32, torch.float16):
        for faces, size in ((1, 1.0), (3, 1e5), (13, 1e-6), (2, 0.0)):
            compare_modulation(faces, size, storage)


def compare_modulation(faces: int, size: float, storage: torch.dtype) -> None:
    squares = [torch.randn(shape).square() for shape in MODULATED[0]]
    plan = plan_modulation(squares, [torch.randn(3, width) for width in MODULATED[1]], storage)
    start = plan.conv_styles
    places = [*plan.input_slices, *(slice(start + at.start, start + at.stop) for at in plan.rgb_slices)]
    styles = torch.zeros(faces, start + plan.rgb_weights.shape[1])
    for place in places:
        styles[:, place] = torch.randn(faces, place.stop - place.start) * size
    *got, rgb = modulate_by_kernel(styles, plan)
    *wanted, wanted_rgb = modulate_by_torch(styles, plan)
    check(rgb, wanted_rgb, (faces, size, storage))
    # The values between the layers' ranges are undefined.
    for one, other, slices in zip(got, wanted, (plan.input_slices, plan.output_slices), strict=True):
        for place in slices:
            check(one[:, place], other[:, place], (faces, size, storage, place))


def compare_network() -> None:
    network = build(random_state(GeneratorConfig(16, style_dim=8, n_mlp=2, widths=(6, 12, 4))))
    for number, dtype in ((2, torch.float32), (1, torch.float16)):
        generator = CudaGenerator(network, dtype, CPU, INTERPRETED)
        faces = torch.rand(number, 3, 16, 16) * 2 - 1
        with torch.no_grad():
            got, wanted = generator(faces), generator.run(faces, REFERENCE)
        assert float((got - wanted).norm() / wanted.norm()) <= NETWORK[dtype], (dtype, number)


def compare_kernel_set() -> None:
    """Runs the check that a GPU passes before its kernels are used."""
    failure = kernel_failure(CPU, torch.float16, INTERPRETED)
    assert failure == "", failure


COMPARISONS: dict[str, Callable[[], None]] = {
    "blur": compare_blur,
    "up_epilogue": compare_up_epilogue,
    "same_epilogue": compare_same_epilogue,
    "dense": compare_dense,
    "modulate": compare_modulate,
    "kernel_set": compare_kernel_set,
    "network": compare_network,
}


def failure_of(compare: Callable[[], None]) -> str:
    torch.manual_seed(1)
    try:
        compare()
    except Exception:  # broad: any error of a kernel is its result, which its test shows
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    json.dump({name: failure_of(compare) for name, compare in COMPARISONS.items()}, sys.stdout)
