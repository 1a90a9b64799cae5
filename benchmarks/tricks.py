"""What each optimisation of the folded generator gains on CUDA, and how close each part comes to the hardware's limit.

Method. Random weights of the published shapes, fresh random faces; everything of one table runs interleaved. A call
is timed by device events after warm-up (by wall time on a CPU, which serves only to try the script). The figure is
the median of as many rounds as fit into the given seconds, at least five. Compare figures of one run on one machine
only.

- forms: the reference in fp32 with TF32 off; the folded form by torch operations; with graphs; with kernels; with
  both; with kernels for everything but the latent's linear layers, whose weights are then in float32.
- steps: each kernel at each size of the network, beside its torch reference: microseconds, and the bytes it must move
  divided by that time. Small tensors come from the cache, as in the network. Linear layers are compared with matrix
  products with float32 weights.
- convolutions: each at its size, floating-point operations over time. The first one also with its three channels
  padded to eight. An up-convolution also as its possible replacement, one convolution of 2x2 taps to four times the
  channels: 16 taps instead of 9, so it gains if the transposed convolution reaches less than 9/16 of its rate.

Kernels and convolutions are so short that twenty calls of one are timed together, as one graph.

With --tuned cuDNN benchmarks its algorithms before the first call of each shape. The package does not ask for that.

Usage: python benchmarks/tricks.py [--device cuda] [--models gpen-bfr-256 gpen-bfr-512] [--batches 1 8 32] [--tuned]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from kernel_calls import decoder_sizes, kernel_calls, with_linear_by_torch
from rich.console import Console
from rich.table import Table
from stages import HERE, machine
from torch import Tensor

from gpen_fast import __version__
from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.device.precision import arithmetic
from gpen_fast.device.select import pick_device
from gpen_fast.device.streams import synchronize
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cuda.generator import CudaGenerator
from gpen_fast.gpen.cuda.graphs import CudaGraphRecorder, Graphs
from gpen_fast.gpen.cuda.kernels.kernel_set import REFERENCE, TRITON
from gpen_fast.gpen.cuda.kernels.wide import NHWC
from gpen_fast.gpen.folded.generator import DTYPES, FoldedGenerator
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.gpen.select import select_form
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json
from gpen_fast.store.published import PUBLISHED

LEAST_ROUNDS, MOST_ROUNDS, LOOPS = 5, 50, 20
Call = Callable[[], Any]


def medians(calls: dict[str, Call], device: torch.device, seconds: float) -> dict[str, float | None]:
    """Milliseconds of each call; None for a call that does not fit into memory."""
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


def looped(call: Call, device: torch.device) -> tuple[Call, int]:
    """Many repetitions of a short call as one, and their number: single launches would measure the host."""
    if device.type != "cuda":
        return call, 1
    call()
    synchronize(device)
    graph: Any = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(LOOPS):
            call()
    return graph.replay, LOOPS


def short_us(call: Call, device: torch.device, seconds: float) -> float | None:
    """Microseconds of a short call; None if it does not fit into memory."""
    try:
        many, loops = looped(call, device)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return None
    ms = medians({"it": many}, device, seconds)["it"]
    return ms and round(ms * 1e3 / loops, 2)


def forms(
    network: FullGenerator, precision: str, device: torch.device
) -> dict[str, Callable[[Tensor], Tensor]]:
    """The network in each form; with graphs on CUDA only."""
    dtype = DTYPES[precision]
    found = select_form(network, precision, device)
    print(f"note: {found.note}" if found.note else "kernels: used", flush=True)
    plain: dict[str, Callable[[Tensor], Tensor]] = {"by torch": FoldedGenerator(network, dtype, device)}
    if not found.note:
        plain["by kernels"] = found.run
    if isinstance(found.run, CudaGenerator):
        plain["by kernels, linear layers by torch"] = with_linear_by_torch(found.run)
    made: dict[str, Callable[[Tensor], Tensor]] = {"reference fp32": network.to(device)}
    for name, form in plain.items():
        made[name] = form
        if device.type == "cuda":
            made[f"{name}, graphs"] = Graphs(form, network.config.size, CudaGraphRecorder(device))
    return made


def compare_forms(arguments: argparse.Namespace, name: str, batch: int, device: torch.device) -> list[dict]:
    """One row for each form, measured in turns with fresh faces."""
    network = build(random_state(PUBLISHED[name].config))
    size = network.config.size
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


def compare_steps(
    config: GeneratorConfig, batch: int, dtype: torch.dtype, device: torch.device, seconds: float
) -> list[dict]:
    """One row for each kernel and size: microseconds, GB/s of the necessary traffic, speed-up over its reference."""
    rows = []
    for told, side, channels, name, given, plain, moved in kernel_calls(config, batch, dtype, device):
        us = short_us(partial(getattr(TRITON, name), *given), device, seconds)
        # The reference creates its FIR on the host, which cannot be captured.
        ms = medians({"torch": partial(getattr(REFERENCE, name), *plain)}, device, seconds)["torch"]
        theirs = ms and ms * 1e3
        rows.append({
            "step": told, "side": side, "channels": channels, "batch": batch, "us": us,
            "gb_per_s": us and round(moved / us / 1e3, 1), "times_torch": us and theirs and round(theirs / us, 2),
        })  # fmt: skip
    return rows


def compare_convs(
    config: GeneratorConfig, batch: int, dtype: torch.dtype, device: torch.device, seconds: float
) -> list[dict]:
    """One row for each convolution: microseconds, and TFLOP/s of the taps that contribute."""
    rows = []
    for name, side, channels, out, (taps, call) in conv_calls(config, batch, dtype, device):
        us = short_us(call, device, seconds)
        rows.append({
            "convolution": name, "side": side, "in": channels, "out": out, "batch": batch,
            "us": us, "tflop_per_s": us and round(2 * batch * taps / us / 1e6, 1),
        })  # fmt: skip
    return rows


def conv_calls(
    config: GeneratorConfig, batch: int, dtype: torch.dtype, device: torch.device
) -> Iterator[tuple[str, int, int, int, tuple[int, Call]]]:
    """Name, side of the result, channels in and out, multiply-adds per face, and the call."""

    def picture(channels: int, side: int) -> Tensor:
        made = torch.randn(batch, channels, side, side, dtype=dtype, device=device)
        return made.contiguous(memory_format=NHWC)

    def weight(first: int, second: int, kernel: int) -> Tensor:
        made = (
            torch.randn(first, second, kernel, kernel, dtype=dtype, device=device)
            / (second * kernel**2) ** 0.5
        )
        return made.contiguous(memory_format=NHWC)

    top = config.width(config.size)
    for channels in (3, 8):  # RGB as it is, and filled up to what tensor cores take
        call = partial(F.conv2d, picture(channels, config.size), weight(top, channels, 1))
        yield "first", config.size, channels, top, (3 * top * config.size**2, call)
    for side, width, below in decoder_sizes(config):
        call = partial(F.conv2d, picture(width, side + 1), weight(below, width, 3), stride=2)
        yield "encoder", side // 2, width, below, (9 * width * below * (side // 2) ** 2, call)
        small, taps = picture(2 * below, side // 2), 9 * (side // 2) ** 2 * 2 * below * width
        call = partial(F.conv_transpose2d, small, weight(2 * below, width, 3), stride=2)
        yield "up, transposed", side, 2 * below, width, (taps, call)
        call = partial(F.conv2d, small, weight(4 * width, 2 * below, 2), padding=1)
        yield "up, four phases", side, 2 * below, width, (taps, call)
        call = partial(F.conv2d, picture(2 * width, side), weight(width, 2 * width, 3), padding=1)
        yield "plain", side, 2 * width, width, (9 * side * side * 2 * width * width, call)


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
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each comparison")
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument(
        "--json", type=Path, help="report file; default results/<machine>/tricks-<precision>.json"
    )
    arguments = parser.parse_args()
    torch.backends.cudnn.benchmark = arguments.tuned
    device, dtype = pick_device(arguments.device), DTYPES[arguments.precision]
    facts = {"schema": 1, "suite": "tricks", "version": __version__, "commit": commit()}
    facts["device"] = asdict(device_facts(device))
    target = HERE / "results" / machine() / f"tricks-{arguments.precision}{'-tuned' * arguments.tuned}.json"
    target = arguments.json or target
    target.parent.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"forms": [], "steps": [], "convolutions": []}
    for name in arguments.models:
        for batch in arguments.batches:
            rows = compare_forms(arguments, name, batch, device)
            report["forms"] += show(f"{name}, batch {batch}, {arguments.precision}", rows)
            write_json(facts | report, target)
    config, batch = PUBLISHED[arguments.models[-1]].config, min(8, max(arguments.batches))
    with arithmetic("fp32", device):
        for part, compare in (("steps", compare_steps), ("convolutions", compare_convs)):
            rows = compare(config, batch, dtype, device, arguments.seconds / 10)
            report[part] += show(f"{part} of {arguments.models[-1]}, batch {batch}", rows)
            write_json(facts | report, target)


if __name__ == "__main__":
    main()
