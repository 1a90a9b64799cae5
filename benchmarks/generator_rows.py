"""What the generator's benchmarks share: a contestant, the floor it is compared with, and its row of the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.measure.stats import summarise

# Microseconds per face on one H200 (790 TFLOP/s and 4.3 TB/s, both measured) with everything fused.
# The keys are batch sizes; each holds up to the next one.
ROOFLINE = {
    "gpen-bfr-256": {1: 30, 8: 24, 32: 24},
    "gpen-bfr-512": {1: 372, 8: 356, 32: 355},
    "gpen-bfr-1024": {1: 485, 8: 469, 32: 468},
    "gpen-bfr-2048": {1: 730, 8: 714, 32: 713},
}


@dataclass
class Contestant:
    """One backend in one precision at one batch size, with its measurements. Times are seconds per call."""

    backend: str
    precision: str
    batch: int
    run: Callable[[Tensor], Tensor]
    weights_bytes: int | None = None
    first: float = 0.0
    times: list[float] = field(default_factory=list)
    error: float | None = None
    activation_bytes: int | None = None

    @property
    def median(self) -> float:
        """Returns the median seconds per call."""
        return statistics.median(self.times)


def convolutions(config: GeneratorConfig) -> Iterator[tuple[int, int, int, int, int]]:
    """(kernel side, in, out, output side of the multiplications, stride) of every dense convolution."""
    top = config.size
    yield 1, 3, config.width(top), top, 1
    for side in config.sides[:-1]:
        yield 3, config.width(2 * side), config.width(side), side, 2
    for side in config.sides:
        width = config.width(side)
        if side > 4:
            # A transposed convolution multiplies at its input's resolution.
            yield 3, 2 * config.width(side // 2), width, side // 2, -2
        yield 3, 2 * width if side > 4 else width, width, side, 1
        yield 1, 2 * width, 3, side, 1


def flop_of(config: GeneratorConfig) -> float:
    """Floating-point operations per face of convolutions and linear layers, two for each multiply-add."""
    convs = sum(2 * k * k * into * out * side * side for k, into, out, side, _ in convolutions(config))
    dim, flat = config.style_dim, config.width(4) * 16
    styles = config.width(4) + sum(2 * (config.width(s // 2) + 2 * config.width(s)) for s in config.sides[1:])
    return float(convs + 2 * dim * (flat + config.n_mlp * dim + styles))


def allocated_bytes(device: torch.device) -> int | None:
    """Returns the bytes of device memory that tensors occupy; None on a CPU."""
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else None


def faces_of(number: int, size: int, random: torch.Generator) -> Tensor:
    """(number,3,size,size) uniform in [-1,1]."""
    return torch.rand(number, 3, size, size, generator=random) * 2 - 1


def floor_of(
    model: str, each: Contestant, best: dict[str, float], flop: float, device: torch.device
) -> float | None:
    """Lower bound of the seconds per face in this precision; None if none is known."""
    if device.type == "cpu":
        return flop / best[each.precision] if each.precision in best else None
    if "H200" not in torch.cuda.get_device_name(device) or each.precision not in ("bf16", "fp16"):
        return None
    steps = ROOFLINE.get(model, {})
    return steps[max(step for step in steps if step <= each.batch)] / 1e6 if steps else None


def row_of(
    model: str, each: Contestant, base: float, best: dict[str, float], flop: float, device: torch.device
) -> dict[str, Any]:
    """One row: times in milliseconds per face. base: seconds per face of the reference."""
    per_face = summarise([1e3 * seconds / each.batch for seconds in each.times])
    assert per_face is not None
    ms = per_face.median
    floor = floor_of(model, each, best, flop, device)
    return {
        "model": model, "backend": each.backend, "precision": each.precision, "batch": each.batch,
        "calls": len(each.times), "first_call_ms": round(1e3 * each.first, 1),
        "ms_a_face": per_face.as_dict(),
        "faces_per_s": round(1e3 / ms, 2), "tflop_per_s": round(flop / ms / 1e9, 3),
        "times_eager_fp32": round(1e3 * base / ms, 2),
        "over_floor": None if floor is None else round(ms / (1e3 * floor), 3),
        "error": None if each.error is None else float(f"{each.error:.2e}"),
        "weights_bytes": each.weights_bytes, "activation_bytes": each.activation_bytes,
    }  # fmt: skip


HEADS = [
    "model", "backend", "precision", "batch", "ms", "p95", "faces/s", "TFLOP/s", "times eager fp32", "over floor",
    "error", "weights+activations MB",
]  # fmt: skip


def show(row: dict[str, Any]) -> None:
    """Prints one line of the table."""
    over = "-" if row["over_floor"] is None else f"{row['over_floor']:.2f}"
    error = "-" if row["error"] is None else f"{row['error']:.1e}"
    sizes = [row["weights_bytes"], row["activation_bytes"]]
    memory = "-" if None in sizes else "+".join(f"{value / 1e6:.0f}" for value in sizes)
    cells = [row["model"], row["backend"], row["precision"], row["batch"], f"{row['ms_a_face']['median']:.2f}",
             f"{row['ms_a_face']['p95']:.2f}", f"{row['faces_per_s']:.2f}", f"{row['tflop_per_s']:.3f}",
             f"{row['times_eager_fp32']:.2f}", over, error, memory]  # fmt: skip
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
