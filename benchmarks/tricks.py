"""What each trick of the folded generator gains on CUDA, and how near each of its parts is to what the chip can do.

Method: random weights of true shapes, fresh random faces, everything of one table interleaved in one run. A call is
timed by device events (wall time on a CPU, where this only serves to try the script), after warm-up; the median of
as many rounds as fit into the given seconds, at least five. Figures of one run on one machine compare, no others.

- forms: the reference in fp32 with TF32 off; the folded form by torch operations; with graphs; with kernels; with both.
- steps: each kernel at each size of the network, beside its torch reference: microseconds, and the bytes it must move
  over that time. Inputs are larger than the cache or come from it, as in the network: read them with that in mind.
- convolutions: each of the decoder's at its size, floating-point operations over time; an up-convolution also as what
  it could be replaced by, one convolution of 2x2 taps to four times the channels (16 taps for 9, so it gains where the
  transposed one reaches less than 9/16 of its rate).

Usage: python benchmarks/tricks.py [--device cuda] [--models gpen-bfr-256 gpen-bfr-512] [--batches 1 8 32]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from stages import HERE, machine
from torch import Tensor

from gpen_fast import __version__
from gpen_fast.device import arithmetic, event_maker, is_out_of_memory, pick_device, synchronize
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.folded import DTYPES, FoldedGenerator
from gpen_fast.gpen.folding import fold
from gpen_fast.gpen.graphs import CudaRecorder, Graphs
from gpen_fast.gpen.kernels.same import Colours
from gpen_fast.gpen.kernels.steps import BY_KERNEL, BY_TORCH
from gpen_fast.gpen.kernels.wide import NHWC, Ending
from gpen_fast.gpen.network import FullGenerator
from gpen_fast.gpen.spec import PUBLISHED, Figures
from gpen_fast.profile.report import commit, device_facts, write_json

LEAST_ROUNDS, MOST_ROUNDS = 5, 50
Call = Callable[[], Any]


def medians(calls: dict[str, Call], device: torch.device, seconds: float) -> dict[str, float | None]:
    """Milliseconds of each call; None for one that does not fit into memory."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for name, call in calls.items():
        try:
            for _ in range(3):
                call()
            synchronize(device)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            del times[name]
    start, rounds = time.perf_counter(), 0
    while rounds < LEAST_ROUNDS or (rounds < MOST_ROUNDS and time.perf_counter() - start < seconds):
        for name in times:
            times[name].append(timed(calls[name], device))
        rounds += 1
    return {name: statistics.median(times[name]) if name in times else None for name in calls}


def timed(call: Call, device: torch.device) -> float:
    """Milliseconds on the device."""
    make = event_maker(device)
    if make is None:
        start = time.perf_counter()
        call()
        return (time.perf_counter() - start) * 1e3
    begin, end = make(), make()
    begin.record()
    call()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end)


def forms(
    network: FullGenerator, precision: str, device: torch.device
) -> dict[str, Callable[[Tensor], Tensor]]:
    """The network in each form; graphs where there are any."""
    dtype = DTYPES[precision]
    found = fold(network, precision, device)
    print(f"note: {found.note}" if found.note else "kernels: used", flush=True)
    plain: dict[str, Callable[[Tensor], Tensor]] = {"by torch": FoldedGenerator(network, dtype, device)}
    if not found.note:
        plain["by kernels"] = found.run
    made: dict[str, Callable[[Tensor], Tensor]] = {"reference fp32": network.to(device)}
    for name, form in plain.items():
        made[name] = form
        if device.type == "cuda":
            made[f"{name}, graphs"] = Graphs(form, network.figures.size, CudaRecorder(device))
    return made


def compare_forms(arguments: argparse.Namespace, name: str, batch: int, device: torch.device) -> list[dict]:
    """One row a form. Interleaved, each call with other faces."""
    network = build(random_state(PUBLISHED[name].figures))
    size = network.figures.size
    inputs = [torch.rand(batch, 3, size, size, device=device) * 2 - 1 for _ in range(2)]
    turn = iter(range(10**9))
    made = forms(network, arguments.precision, device)
    calls = {form: lambda run=run: run(inputs[next(turn) % 2]) for form, run in made.items()}
    with arithmetic("fp32", device):
        found = medians(calls, device, arguments.seconds)
    base = found["reference fp32"]
    return [
        {
            "model": name, "batch": batch, "precision": arguments.precision, "form": form,
            "ms_per_face": ms and round(ms / batch, 4), "times_reference": ms and base and round(base / ms, 2),
        }
        for form, ms in found.items()
    ]  # fmt: skip


def decoder_sizes(figures: Figures) -> list[tuple[int, int, int]]:
    """Side, channels, and channels one size below."""
    return [(side, figures.width(side), figures.width(side // 2)) for side in figures.sides[1:]]


def compare_steps(
    figures: Figures, batch: int, dtype: torch.dtype, device: torch.device, seconds: float
) -> list[dict]:
    """One row a kernel and size: microseconds, GB/s of what must be moved, and times its reference's speed."""
    rows = []
    for side, channels, _ in decoder_sizes(figures):
        for name, given, moved in step_calls(side, channels, batch, dtype, device):
            calls = {"kernel": partial(getattr(BY_KERNEL, name), *given)}
            calls["torch"] = partial(getattr(BY_TORCH, name), *given)
            found = medians(calls, device, seconds)
            us, theirs = (found[each] and found[each] * 1e3 for each in ("kernel", "torch"))
            rows.append({
                "step": name, "side": side, "channels": channels, "batch": batch, "us": us and round(us, 2),
                "gb_per_s": us and round(moved / us / 1e3, 1), "times_torch": us and theirs and round(theirs / us, 2),
            })  # fmt: skip
    return rows


def step_calls(side: int, channels: int, batch: int, dtype: torch.dtype, device: torch.device) -> list[tuple]:
    """Name, arguments, and the bytes that must be moved."""

    def picture(extra: int) -> Tensor:
        shape = (batch, channels, side + extra, side + extra)
        return torch.randn(shape, dtype=dtype, device=device).contiguous(memory_format=NHWC)

    def vector(*shape: int) -> Tensor:
        return torch.randn(*shape, device=device)

    ending = Ending(vector(channels), vector(channels), 0.3, vector(channels))
    scale, following = vector(batch, channels), vector(batch, 2 * channels)
    colours = Colours(vector(batch, 3, 2 * channels), vector(3), vector(batch, 3, side // 2, side // 2))
    raw, feature = picture(0), picture(0)
    half = raw.numel() * raw.element_size()
    rgb = batch * side * side * 3 * 4 * 5 // 4
    return [
        ("blur", (feature, ending.bias), 2 * half),
        ("end_up", (picture(1), feature, scale, ending, following), 4 * half),
        ("end_same", (raw, feature, scale, ending, following, colours), 4 * half + rgb),
        ("end_same", (raw, feature, scale, ending, None, colours), 2 * half + rgb),
    ]


def compare_convs(
    figures: Figures, batch: int, dtype: torch.dtype, device: torch.device, seconds: float
) -> list[dict]:
    """One row a convolution of the decoder: microseconds and TFLOP/s of the taps that count."""
    rows = []
    for side, width, below in decoder_sizes(figures):
        small = torch.randn(batch, 2 * below, side // 2, side // 2, dtype=dtype, device=device)
        large = torch.randn(batch, 2 * width, side, side, dtype=dtype, device=device)
        small, large = small.contiguous(memory_format=NHWC), large.contiguous(memory_format=NHWC)
        up = weight_of(2 * below, width, 3, dtype, device)
        four = weight_of(4 * width, 2 * below, 2, dtype, device)
        plain = weight_of(width, 2 * width, 3, dtype, device)
        calls: dict[str, Call] = {
            "up, transposed": partial(F.conv_transpose2d, small, up, stride=2),
            "up, four phases": partial(F.conv2d, small, four, padding=1),
            "plain": partial(F.conv2d, large, plain, padding=1),
        }
        taps = {"plain": 9 * side * side * 2 * width * width}
        taps |= dict.fromkeys(("up, transposed", "up, four phases"), 9 * (side // 2) ** 2 * 2 * below * width)
        for name, ms in medians(calls, device, seconds).items():
            rows.append({
                "convolution": name, "side": side, "in": 2 * (width if name == "plain" else below), "out": width,
                "batch": batch, "us": ms and round(ms * 1e3, 2),
                "tflop_per_s": ms and round(2 * batch * taps[name] / ms / 1e9, 1),
            })  # fmt: skip
    return rows


def weight_of(first: int, second: int, kernel: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A random NHWC weight that keeps values in range."""
    made = (
        torch.randn(first, second, kernel, kernel, dtype=dtype, device=device) / (second * kernel**2) ** 0.5
    )
    return made.contiguous(memory_format=NHWC)


def show(title: str, rows: list[dict]) -> list[dict]:
    """Prints a table."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in rows[0]:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*("-" if value is None else str(value) for value in row.values()))
    Console(width=110, highlight=False).print(table)
    return rows


def main() -> None:
    """Measures, prints the tables and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="fp16", choices=DTYPES)
    parser.add_argument("--models", nargs="+", default=["gpen-bfr-256", "gpen-bfr-512"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each comparison")
    arguments = parser.parse_args()
    device, dtype = pick_device(arguments.device), DTYPES[arguments.precision]
    report: dict[str, Any] = {"forms": [], "steps": [], "convolutions": []}
    for name in arguments.models:
        for batch in arguments.batches:
            rows = compare_forms(arguments, name, batch, device)
            report["forms"] += show(f"{name}, batch {batch}, {arguments.precision}", rows)
    figures, batch = PUBLISHED[arguments.models[-1]].figures, min(8, max(arguments.batches))
    with arithmetic("fp32", device):
        for part, compare in (("steps", compare_steps), ("convolutions", compare_convs)):
            rows = compare(figures, batch, dtype, device, arguments.seconds / 10)
            report[part] += show(f"{part} of {arguments.models[-1]}, batch {batch}", rows)
    facts = {"schema": 1, "suite": "tricks", "version": __version__, "commit": commit()}
    target = HERE / "results" / machine() / f"tricks-{arguments.precision}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_json({**facts, "device": device_facts(device), **report}, target)


if __name__ == "__main__":
    main()
