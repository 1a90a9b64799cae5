"""Measures what each optimisation of the folded generator gains on CUDA, and how close each part is to the hardware.

Method: random weights of the published shapes, fresh random faces, and all contestants of one table in turns in one
run. After warm-up, device events time each call (on a CPU, which serves only to try the script, the wall clock does).
The times are medians of as many rounds as fit into the given seconds, at least five. Compare the figures of one run on
one machine only.

- forms: the reference in fp32 with TF32 off; the folded form by torch operations, with graphs, with kernels, and with
  both; and the form with kernels except for the latent's linear layers, whose weights are then in float32.
- steps: each kernel at each size of the network, next to its torch reference: microseconds, and the bytes it must move
  divided by that time. Small tensors come from the cache, as they do in the network. Linear layers are compared with
  matrix products with float32 weights.
- convolutions: each at its size, floating-point operations divided by time. The first one is also measured with its
  three channels padded to eight. Each up-convolution is also measured as the convolution that could replace it: 2x2
  taps to four times the channels. That takes 16 products instead of 9, so it pays only where the transposed
  convolution reaches less than 9/16 of its rate.

Single kernels and convolutions are too short to time: a graph repeats each one twenty times.

With --tuned, cuDNN benchmarks its algorithms before the first call of each shape. The package does not enable that.

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
from stages import add_commit, results_folder
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
from gpen_fast.gpen.cuda.graph_recorder import CudaGraphRecorder
from gpen_fast.gpen.cuda.graphs import Graphs
from gpen_fast.gpen.cuda.kernels.kernel_set import REFERENCE, TRITON
from gpen_fast.gpen.cuda.kernels.wide import NHWC
from gpen_fast.gpen.folded.generator import DTYPES, FoldedGenerator
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.gpen.select import select_form
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json
from gpen_fast.store.published import PUBLISHED

MIN_ROUNDS, MAX_ROUNDS = 5, 50
# Repetitions of one short call in a graph.
REPEATS = 20
Call = Callable[[], Any]


def medians(calls: dict[str, Call], device: torch.device, seconds: float) -> dict[str, float | None]:
    """Returns the median milliseconds of each call; None for a call that does not fit into memory."""
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
    while rounds < MIN_ROUNDS or (rounds < MAX_ROUNDS and time.perf_counter() - start < seconds):
        for name in times:
            times[name].append(timed(calls[name], device))
        rounds += 1
    return {name: statistics.median(times[name]) if name in times else None for name in calls}


def timed(call: Call, device: torch.device) -> float:
    """Returns the milliseconds of one call on the device."""
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


def repeated(call: Call, device: torch.device) -> tuple[Call, int]:
    """Returns a graph that repeats a short call, and how often: single launches would measure the host."""
    if device.type != "cuda":
        return call, 1
    call()
    synchronize(device)
    graph: Any = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(REPEATS):
            call()
    return graph.replay, REPEATS


def short_us(call: Call, device: torch.device, seconds: float) -> float | None:
    """Returns the median microseconds of a short call; None if it does not fit into memory."""
    try:
        many, repeats = repeated(call, device)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return None
    ms = medians({"call": many}, device, seconds)["call"]
    return ms and round(ms * 1e3 / repeats, 2)


def forms(
    network: FullGenerator, precision: str, device: torch.device
) -> dict[str, Callable[[Tensor], Tensor]]:
    """Returns the network in each form by name; the forms with graphs exist on CUDA only."""
    dtype = DTYPES[precision]
    folded = select_form(network, precision, device)
    print(f"note: {folded.note}" if folded.note else "kernels: used", flush=True)
    plain: dict[str, Callable[[Tensor], Tensor]] = {"by torch": FoldedGenerator(network, dtype, device)}
    if not folded.note:
        plain["by kernels"] = folded.run
    if isinstance(folded.run, CudaGenerator):
        plain["by kernels, linear layers by torch"] = with_linear_by_torch(folded.run)
    every: dict[str, Callable[[Tensor], Tensor]] = {"reference fp32": network.to(device)}
    for name, form in plain.items():
        every[name] = form
        if device.type == "cuda":
            every[f"{name}, graphs"] = Graphs(form, network.config.size, CudaGraphRecorder(device))
    return every


def compare_forms(arguments: argparse.Namespace, name: str, batch: int, device: torch.device) -> list[dict]:
    """Returns one row for each form. The forms run in turns, and successive calls get different faces."""
    network = build(random_state(PUBLISHED[name].config))
    size = network.config.size
    inputs = [torch.rand(batch, 3, size, size, device=device) * 2 - 1 for _ in range(2)]
    turn = iter(range(10**9))
    by_name = forms(network, arguments.precision, device)
    calls = {form: lambda run=run: run(inputs[next(turn) % 2]) for form, run in by_name.items()}
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
    """Returns one row for each kernel and size: microseconds, GB/s of necessary traffic, speed-up over torch."""
    rows = []
    for label, side, channels, name, arguments, plain, moved in kernel_calls(config, batch, dtype, device):
        us = short_us(partial(getattr(TRITON, name), *arguments), device, seconds)
        # Not as a graph: the torch reference computes its FIR on the host, which a graph cannot capture.
        ms = medians({"torch": partial(getattr(REFERENCE, name), *plain)}, device, seconds)["torch"]
        theirs = ms and ms * 1e3
        rows.append({
            "step": label, "side": side, "channels": channels, "batch": batch, "us": us,
            "gb_per_s": us and round(moved / us / 1e3, 1), "times_torch": us and theirs and round(theirs / us, 2),
        })  # fmt: skip
    return rows


def compare_convs(
    config: GeneratorConfig, batch: int, dtype: torch.dtype, device: torch.device, seconds: float
) -> list[dict]:
    """Returns one row for each convolution: microseconds, and TFLOP/s of the products that the network needs."""
    rows = []
    for name, side, channels, out, (products, call) in conv_calls(config, batch, dtype, device):
        us = short_us(call, device, seconds)
        rows.append({
            "convolution": name, "side": side, "in": channels, "out": out, "batch": batch,
            "us": us, "tflop_per_s": us and round(2 * batch * products / us / 1e6, 1),
        })  # fmt: skip
    return rows


def conv_calls(
    config: GeneratorConfig, batch: int, dtype: torch.dtype, device: torch.device
) -> Iterator[tuple[str, int, int, int, tuple[int, Call]]]:
    """Yields name, side of the output, channels in and out, and (multiply-adds per face, call)."""

    def picture(channels: int, side: int) -> Tensor:
        values = torch.randn(batch, channels, side, side, dtype=dtype, device=device)
        return values.contiguous(memory_format=NHWC)

    def weight(first: int, second: int, kernel: int) -> Tensor:
        values = (
            torch.randn(first, second, kernel, kernel, dtype=dtype, device=device)
            / (second * kernel**2) ** 0.5
        )
        return values.contiguous(memory_format=NHWC)

    top = config.width(config.size)
    for channels in (3, 8):  # RGB as it is, and padded to the multiple of 8 that tensor cores take
        call = partial(F.conv2d, picture(channels, config.size), weight(top, channels, 1))
        yield "first", config.size, channels, top, (3 * top * config.size**2, call)
    for side, width, below in decoder_sizes(config):
        call = partial(F.conv2d, picture(width, side + 1), weight(below, width, 3), stride=2)
        yield "encoder", side // 2, width, below, (9 * width * below * (side // 2) ** 2, call)
        small, products = picture(2 * below, side // 2), 9 * (side // 2) ** 2 * 2 * below * width
        call = partial(F.conv_transpose2d, small, weight(2 * below, width, 3), stride=2)
        yield "up, transposed", side, 2 * below, width, (products, call)
        call = partial(F.conv2d, small, weight(4 * width, 2 * below, 2), padding=1)
        yield "up, four phases", side, 2 * below, width, (products, call)
        call = partial(F.conv2d, picture(2 * width, side), weight(width, 2 * width, 3), padding=1)
        yield "plain", side, 2 * width, width, (9 * side * side * 2 * width * width, call)


def show(title: str, rows: list[dict]) -> list[dict]:
    """Prints the rows as a table and returns them."""
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
    parser.add_argument("--seconds", type=float, default=1.0, help="time limit of each comparison")
    parser.add_argument("--tuned", action="store_true", help="let cuDNN benchmark its algorithms")
    parser.add_argument(
        "--json",
        type=Path,
        help="report file; default tricks-<precision>.json in the results folder",
    )
    add_commit(parser)
    arguments = parser.parse_args()
    torch.backends.cudnn.benchmark = arguments.tuned
    device, dtype = pick_device(arguments.device), DTYPES[arguments.precision]
    facts = {"schema": 1, "suite": "tricks", "version": __version__, "commit": commit()}
    facts["device"] = asdict(device_facts(device))
    name = f"tricks-{arguments.precision}{'-tuned' * arguments.tuned}.json"
    target = arguments.json or results_folder(arguments.commit) / name
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
