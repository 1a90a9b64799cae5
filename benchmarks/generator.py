"""The generator alone: backends x precisions x batches, beside ONNX Runtime and OpenVINO, in one run.

Method. Weights are random with the published shapes, and every call has a fresh random input. In each turn every
contestant is called once, the reference network in eager fp32 (TF32 off) among them, until each has 20 calls or
`--seconds` have passed. The first call is reported apart. A call shorter than half a second is preceded by one that is
not counted. A turn in which other processes used more than a tenth of a processor is discarded. On a CPU the network's
five heaviest convolutions run in the same turns, in NHWC with packed weights; the floor is the network's FLOPs divided
by the best rate of any of them. On CUDA the floor is the roofline of one H200, and no floor is given on other devices.
Errors are relative L2 against the reference network in float64. ONNX Runtime and OpenVINO run the reference network's
export for one face; the faces of a batch run in parallel, in ONNX Runtime one thread each, in OpenVINO in as many
streams as it chooses. Compare figures of one run on one machine, never times of two runs.

On CUDA, or with --one-by-one, each contestant is measured in turns with the reference alone, on up to eight faces, by
device events after warm-up. Memory is the peak of the first two calls less weights and input. The report is written
after each row; with --limit no row begins later than that.

Usage: python benchmarks/generator.py [--models gpen-bfr-256 gpen-lite-256] [--batches 1 8] [--precisions fp32 bf16]
       [--backends eager folded compiled onnxruntime openvino] [--seconds 60] [--exported FOLDER]
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from generator_rows import HEADS, Contestant, convolutions, faces_of, flop_of, row_of, show
from runtimes import RUNTIMES, export, open_runtime, versions
from stages import add_commit, results_folder
from torch import Tensor

from gpen_fast import __version__
from gpen_fast.device import onednn
from gpen_fast.device.precision import arithmetic
from gpen_fast.device.select import pick_device
from gpen_fast.device.streams import synchronize
from gpen_fast.device.threads import seeded
from gpen_fast.errors import GpenError
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.cpu.parallel import LARGE
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json
from gpen_fast.stages.generate.base import open_backend
from gpen_fast.store.published import PUBLISHED

MAX_CALLS, MIN_CALLS = 20, 3
# The most important models come first, because a run may be cut short.
MODELS = ["gpen-bfr-512", "gpen-bfr-256", "gpen-bfr-1024", "gpen-bfr-2048", "gpen-lite-256"]
BASE = ("eager", "fp32", 1)
# Seconds before each call, in which the threads of the previous contestant stop spinning.
PAUSE = 0.02
# Seconds. A shorter call runs twice and only the second counts: its weights are then in the caches, as in a real run.
SHORT = 0.5
# Processor seconds of other processes, per second of a turn, above which the turn is discarded.
OTHERS = 0.1
DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Heavy:
    """One of the network's heaviest convolutions. name: input channels, output channels, side in pixels."""

    name: str
    precision: str
    flop: float
    run: Callable[[], Any]
    times: list[float] = field(default_factory=list)


def heaviest(config: GeneratorConfig, precision: str) -> list[Heavy]:
    """The five heaviest stride-1 3x3 convolutions, with weights packed by oneDNN; none without oneDNN."""
    dtype = DTYPES[precision]
    if not onednn.supports(dtype):
        return []
    shapes = [each for each in convolutions(config) if each[0] == 3 and each[4] == 1]
    shapes.sort(key=lambda each: -each[1] * each[2] * each[3] ** 2)
    return [_heavy(into, out, side, precision, dtype) for _, into, out, side, _ in shapes[:5]]


def _heavy(into: int, out: int, side: int, precision: str, dtype: torch.dtype) -> Heavy:
    x = torch.randn(1, into, side, side).to(dtype, memory_format=torch.channels_last)
    conv = onednn.Conv(torch.randn(out, into, 3, 3).to(dtype), side, padding=1)
    return Heavy(f"{into}-{out}@{side}", precision, 18.0 * into * out * side**2, lambda: conv(x))


def contestants(
    network: FullGenerator, model: str, options: argparse.Namespace, device: torch.device, exported: Path
) -> list[Contestant]:
    """Every requested contestant that can run, the reference first. The others are printed with the cause."""
    found: dict[tuple[str, str, int], Contestant] = {}
    batches = options.batches or ([1, 8] if network.config.size < LARGE else [1])
    for key in [BASE, *((b, p, n) for b in options.backends for p in options.precisions for n in batches)]:
        try:
            if key not in found:
                found[key] = Contestant(*key, *_opened(network, model, key, device, exported))
        except GpenError as error:
            print(f"left out: {model} {key[0]} {key[1]} batch {key[2]} ({error})", flush=True)
    return list(found.values())


def _opened(
    network: FullGenerator, model: str, key: tuple[str, str, int], device: torch.device, exported: Path
) -> tuple[Callable[[Tensor], Tensor], int | None]:
    backend, precision, batch = key
    if backend in RUNTIMES:
        return open_runtime(
            backend, precision, batch, export(network, exported / f"{model}.onnx"), device
        ), None
    return open_backend(
        backend, network if backend == "eager" else copy.deepcopy(network), precision, device
    ), None


def call(contestant: Contestant, faces: Tensor, device: torch.device) -> float:
    """Seconds of one call, the device's work included."""
    time.sleep(PAUSE)
    if 0 < contestant.first < SHORT:
        contestant.run(faces)
    synchronize(device)
    start = time.perf_counter()
    contestant.run(faces)
    synchronize(device)
    return time.perf_counter() - start


def measure(
    compared: list[Contestant], convs: list[Heavy], size: int, seconds: float, device: torch.device
) -> int:
    """Measures all contestants in turns. Returns how many turns other processes disturbed; those are discarded."""
    random, most, disturbed = seeded(1), max(each.batch for each in compared), 0
    for each in compared:
        each.first = call(each, faces_of(most, size, random)[: each.batch].to(device), device)
    end = time.perf_counter() + seconds
    for turn in range(2 * MAX_CALLS):
        kept, late = len(compared[0].times), time.perf_counter() > end
        if kept == MAX_CALLS or (late and kept >= MIN_CALLS):
            break
        faces = faces_of(most, size, random).to(device)
        before = others_seconds()
        took = [call(each, faces[: each.batch], device) for each in compared]
        conv_took = [timed(conv.run) for conv in convs]
        idle = others_seconds() - before <= OTHERS * sum(took)
        disturbed += not idle
        # A machine that is never idle would keep no turn: the last ones count in any case.
        if idle or late or turn >= 2 * MAX_CALLS - MIN_CALLS:
            for each, one in zip([*compared, *convs], [*took, *conv_took], strict=True):
                each.times.append(one)
    return disturbed


def timed(run: Callable[[], Any]) -> float:
    """Seconds of a call on the host."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def others_seconds() -> float:
    """Processor seconds used by all other processes; 0 if the system does not report them."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.read_text().split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    return busy / os.sysconf("SC_CLK_TCK") - time.process_time()


def check(compared: list[Contestant], network: FullGenerator, size: int, device: torch.device) -> None:
    """Measures each contestant's error."""
    face = faces_of(1, size, seeded(2))
    with torch.no_grad():
        wanted = copy.deepcopy(network).cpu().double()(face.double())
    for each in compared:
        faces = face.expand(each.batch, -1, -1, -1).contiguous().to(device)
        restored = each.run(faces)[:1].double().cpu()
        each.error = float((restored - wanted).norm() / wanted.norm())


def rates(convs: list[Heavy]) -> dict[str, float]:
    """FLOP/s of the best convolution, by precision."""
    found: dict[str, float] = {}
    for conv in convs:
        rate = conv.flop / statistics.median(conv.times)
        found[conv.precision] = max(rate, found.get(conv.precision, 0.0))
    return found


def one_model(
    model: str, options: argparse.Namespace, device: torch.device, exported: Path
) -> dict[str, Any]:
    """Measures one network and prints its rows."""
    config = PUBLISHED[model].config
    network = build(random_state(config))
    compared = contestants(network, model, options, device, exported)
    used = {each.precision for each in compared}
    convs = [c for p in sorted(used) for c in heaviest(config, p)] if device.type == "cpu" else []
    with arithmetic("fp32", device):
        disturbed = measure(compared, convs, config.size, options.seconds, device)
    if not options.no_errors:
        check(compared, network, config.size, device)
    flop, best = flop_of(config), rates(convs)
    table = [row_of(model, each, compared[0].median, best, flop, device) for each in compared]
    for row in table:
        show(row)
    for precision, rate in best.items():
        floor = f"floor in {precision} {1e3 * flop / rate:.2f} ms at {rate / 1e9:.0f} GFLOP/s"
        print(f"{model}: {flop / 1e9:.1f} GFLOP; {floor}", flush=True)
    heavy = [
        {"shape": c.name, "precision": c.precision, "gflop_per_s": round(c.flop / statistics.median(c.times) / 1e9, 1)}
        for c in convs
    ]  # fmt: skip
    return {
        "model": model,
        "gflop": round(flop / 1e9, 2),
        "disturbed_turns": disturbed,
        "convolutions": heavy,
        "rows": table,
    }


def main() -> None:
    """Measures, prints the table and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS, choices=sorted(PUBLISHED))
    parser.add_argument(
        "--batches",
        nargs="+",
        type=int,
        default=None,
        help="faces per call; default on a CPU 1, and 8 below 512 px; on CUDA 1 8 32",
    )
    parser.add_argument("--precisions", nargs="+", default=None, choices=list(DTYPES))
    parser.add_argument("--backends", nargs="+", default=["eager", "folded", *RUNTIMES])
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        help="time for counted calls of a model; with --one-by-one of a contestant",
    )
    parser.add_argument(
        "--limit", type=float, default=1e9, help="seconds after which --one-by-one begins no further row"
    )
    parser.add_argument(
        "--one-by-one", action="store_true", help="measure each contestant in turns of its own, as on CUDA"
    )
    parser.add_argument("--no-errors", action="store_true", help="skip the errors against float64")
    parser.add_argument("--exported", type=Path, help="folder that keeps the ONNX exports for the next run")
    parser.add_argument("--json", type=Path, help="report file; default generator.json in the results folder")
    add_commit(parser)
    options = parser.parse_args()
    device = pick_device(options.device)
    if device.type == "cuda" or options.one_by_one:
        options.batches = options.batches or ([1] if device.type == "cpu" else [1, 8, 32])
    options.precisions = options.precisions or (
        ["fp32", "bf16"] if device.type == "cpu" else ["fp16", "bf16", "fp32", "tf32"]
    )
    print(f"| {' | '.join(HEADS)} |\n|{' --- |' * len(HEADS)}")
    target = options.json or results_folder(options.commit) / "generator.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    facts = {"schema": 1, "suite": "generator", "version": __version__, "commit": commit()}
    save = partial(report, facts | {"device": asdict(device_facts(device)), "versions": versions()}, target)
    if device.type == "cuda" or options.one_by_one:
        from generator_gpu import measure_all

        measure_all(options, device, save)
    else:
        with tempfile.TemporaryDirectory() as folder:
            exported = options.exported or Path(folder)
            exported.mkdir(parents=True, exist_ok=True)
            save([one_model(model, options, device, exported) for model in options.models])
    print(f"wrote {target}")


def report(facts: dict[str, Any], target: Path, models: list[dict[str, Any]]) -> None:
    """Writes the rows measured so far."""
    write_json({**facts, "models": models}, target)


if __name__ == "__main__":
    main()
