"""The generator alone: backends x precisions x batches, beside ONNX Runtime and OpenVINO, in one run.

Method: random weights of true shapes, a fresh random input for each call. Every contestant is called once in turn,
with the reference network in eager fp32 (TF32 off) among them, until each had 20 calls or `--seconds` are over; the
first call stands apart, a short one is preceded by one that does not count, and turns in which other processes took
a tenth of a processor are not kept. On a CPU the network's five heaviest convolutions run in the same turns, in NHWC
with weights laid out before; the floor is the network's FLOPs over the best rate of any of them. On CUDA the floor is
the roofline of one H200 and is left out on other devices. Errors are relative L2 against the reference network in
float64. ONNX Runtime and OpenVINO run the reference network's export for one face; the faces of a batch run side by
side, in ONNX Runtime on a thread each, in OpenVINO in as many streams as it likes. Compare figures of one run on one
machine, never times of two.

On CUDA (or with --one-by-one) each contestant has turns of its own with the yardstick, of as many faces up to eight,
timed by device events after warm-up. Memory is what the first two calls held at most beside weights and input. The
report is written after each row, and with --limit no row is begun later.

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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from runtimes import RUNTIMES, export, open_runtime, versions
from stages import HERE, machine
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
from gpen_fast.measure.stats import summarise
from gpen_fast.stages.generate.base import open_backend
from gpen_fast.store.published import PUBLISHED

MOST_CALLS, FEWEST_CALLS = 20, 3
# What matters most first.
MODELS = ["gpen-bfr-512", "gpen-bfr-256", "gpen-bfr-1024", "gpen-bfr-2048", "gpen-lite-256"]
BASE = ("eager", "fp32", 1)
PAUSE = 0.02
# Seconds below which a call is made twice and the second counts: it finds its weights in the caches, as in a run.
SHORT = 0.5
# Processor seconds of other processes for each second of a turn from which its times are not kept.
OTHERS = 0.1
DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# Microseconds a face on one H200 at 790 TFLOP/s and 4.3 TB/s, everything fused, from batches of 1, 8 and 32 up.
ROOFLINE = {
    "gpen-bfr-256": {1: 30, 8: 24, 32: 24},
    "gpen-bfr-512": {1: 372, 8: 356, 32: 355},
    "gpen-bfr-1024": {1: 485, 8: 469, 32: 468},
    "gpen-bfr-2048": {1: 730, 8: 714, 32: 713},
}


@dataclass
class Contestant:
    """One backend in one precision at one batch size, and what was seen of it. Times in seconds per call."""

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
        """Seconds a call."""
        return statistics.median(self.times)


@dataclass
class Heavy:
    """One of the network's heaviest convolutions. name: input channels, output channels, pixels a side."""

    name: str
    precision: str
    flop: float
    run: Callable[[], Any]
    times: list[float] = field(default_factory=list)


def convolutions(config: GeneratorConfig) -> Iterator[tuple[int, int, int, int, int]]:
    """(kernel side, in, out, output side of the multiplications, stride) of every dense convolution."""
    top = config.size
    yield 1, 3, config.width(top), top, 1
    for side in config.sides[:-1]:
        yield 3, config.width(2 * side), config.width(side), side, 2
    for side in config.sides:
        width = config.width(side)
        if side > 4:
            # An up-convolution multiplies where its input is.
            yield 3, 2 * config.width(side // 2), width, side // 2, -2
        yield 3, 2 * width if side > 4 else width, width, side, 1
        yield 1, 2 * width, 3, side, 1


def flop_of(config: GeneratorConfig) -> float:
    """Floating-point operations a face: convolutions and linear layers, two for each multiplication."""
    convs = sum(2 * k * k * into * out * side * side for k, into, out, side, _ in convolutions(config))
    dim, flat = config.style_dim, config.width(4) * 16
    styles = config.width(4) + sum(2 * (config.width(s // 2) + 2 * config.width(s)) for s in config.sides[1:])
    return float(convs + 2 * dim * (flat + config.n_mlp * dim + styles))


def heaviest(config: GeneratorConfig, precision: str) -> list[Heavy]:
    """The five stride-1 3x3 convolutions with the most work, as oneDNN likes them best, where it is there."""
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
    network: FullGenerator, model: str, asked: argparse.Namespace, device: torch.device, exported: Path
) -> list[Contestant]:
    """Everything that was asked for and is here; the yardstick first. What is left out is named with its cause."""
    found: dict[tuple[str, str, int], Contestant] = {}
    batches = asked.batches or ([1, 8] if network.config.size < LARGE else [1])
    for key in [BASE, *((b, p, n) for b in asked.backends for p in asked.precisions for n in batches)]:
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


def held(device: torch.device) -> int | None:
    """Bytes of device memory; None on a CPU."""
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else None


def call(contestant: Contestant, faces: Tensor, device: torch.device) -> float:
    """Seconds of one call, the device's work included."""
    # The threads of the contestant before stop spinning meanwhile.
    time.sleep(PAUSE)
    if 0 < contestant.first < SHORT:
        contestant.run(faces)
    synchronize(device)
    start = time.perf_counter()
    contestant.run(faces)
    synchronize(device)
    return time.perf_counter() - start


def measure(
    entered: list[Contestant], convs: list[Heavy], size: int, seconds: float, device: torch.device
) -> int:
    """Fills in the times, all in turn. Returns how many turns others disturbed: their times are not kept."""
    random, most, disturbed = seeded(1), max(each.batch for each in entered), 0
    for each in entered:
        each.first = call(each, faces_of(most, size, random)[: each.batch].to(device), device)
    end = time.perf_counter() + seconds
    for turn in range(2 * MOST_CALLS):
        kept, late = len(entered[0].times), time.perf_counter() > end
        if kept == MOST_CALLS or (late and kept >= FEWEST_CALLS):
            break
        faces = faces_of(most, size, random).to(device)
        before = others_seconds()
        took = [call(each, faces[: each.batch], device) for each in entered]
        conv_took = [timed(conv.run) for conv in convs]
        idle = others_seconds() - before <= OTHERS * sum(took)
        disturbed += not idle
        # The last turns count as they are where the machine leaves no choice.
        if idle or late or turn >= 2 * MOST_CALLS - FEWEST_CALLS:
            for each, one in zip([*entered, *convs], [*took, *conv_took], strict=True):
                each.times.append(one)
    return disturbed


def timed(run: Callable[[], Any]) -> float:
    """Seconds of a call on the host."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def others_seconds() -> float:
    """Processor seconds that all other processes have used; 0 where the system does not tell."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.read_text().split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    return busy / os.sysconf("SC_CLK_TCK") - time.process_time()


def faces_of(number: int, size: int, random: torch.Generator) -> Tensor:
    """(number,3,size,size) uniform in [-1,1]."""
    return torch.rand(number, 3, size, size, generator=random) * 2 - 1


def check(entered: list[Contestant], network: FullGenerator, size: int, device: torch.device) -> None:
    """Fills in the errors."""
    face = faces_of(1, size, seeded(2))
    with torch.no_grad():
        wanted = copy.deepcopy(network).cpu().double()(face.double())
    for each in entered:
        given = face.expand(each.batch, -1, -1, -1).contiguous().to(device)
        got = each.run(given)[:1].double().cpu()
        each.error = float((got - wanted).norm() / wanted.norm())


def rates(convs: list[Heavy]) -> dict[str, float]:
    """FLOP/s of the best convolution, by precision."""
    found: dict[str, float] = {}
    for conv in convs:
        rate = conv.flop / statistics.median(conv.times)
        found[conv.precision] = max(rate, found.get(conv.precision, 0.0))
    return found


def floor_of(
    model: str, each: Contestant, best: dict[str, float], flop: float, device: torch.device
) -> float | None:
    """Seconds a face that this precision cannot beat; None where nothing is known."""
    if device.type == "cpu":
        return flop / best[each.precision] if each.precision in best else None
    if "H200" not in torch.cuda.get_device_name(device) or each.precision not in ("bf16", "fp16"):
        return None
    steps = ROOFLINE.get(model, {})
    return steps[max(step for step in steps if step <= each.batch)] / 1e6 if steps else None


def row_of(
    model: str, each: Contestant, base: float, best: dict[str, float], flop: float, device: torch.device
) -> dict[str, Any]:
    """Times in milliseconds a face. base: the yardstick's seconds a face."""
    a_face = summarise([1e3 * seconds / each.batch for seconds in each.times])
    assert a_face is not None
    ms = a_face.median
    floor = floor_of(model, each, best, flop, device)
    return {
        "model": model, "backend": each.backend, "precision": each.precision, "batch": each.batch,
        "calls": len(each.times), "first_call_ms": round(1e3 * each.first, 1),
        "ms_a_face": a_face.as_dict(),
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
    """A line of the table."""
    over = "-" if row["over_floor"] is None else f"{row['over_floor']:.2f}"
    error = "-" if row["error"] is None else f"{row['error']:.1e}"
    held = [row["weights_bytes"], row["activation_bytes"]]
    memory = "-" if None in held else "+".join(f"{value / 1e6:.0f}" for value in held)
    cells = [row["model"], row["backend"], row["precision"], row["batch"], f"{row['ms_a_face']['median']:.2f}",
             f"{row['ms_a_face']['p95']:.2f}", f"{row['faces_per_s']:.2f}", f"{row['tflop_per_s']:.3f}",
             f"{row['times_eager_fp32']:.2f}", over, error, memory]  # fmt: skip
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def one_model(model: str, asked: argparse.Namespace, device: torch.device, exported: Path) -> dict[str, Any]:
    """Measures and shows one network."""
    config = PUBLISHED[model].config
    network = build(random_state(config))
    entered = contestants(network, model, asked, device, exported)
    used = {each.precision for each in entered}
    convs = [c for p in sorted(used) for c in heaviest(config, p)] if device.type == "cpu" else []
    with arithmetic("fp32", device):
        disturbed = measure(entered, convs, config.size, asked.seconds, device)
    if not asked.no_errors:
        check(entered, network, config.size, device)
    flop, best = flop_of(config), rates(convs)
    table = [row_of(model, each, entered[0].median, best, flop, device) for each in entered]
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
        "--batches", nargs="+", type=int, default=None, help="1, below 512 px 8 too, on a CPU; 1 8 32 on CUDA"
    )
    parser.add_argument("--precisions", nargs="+", default=None, choices=list(DTYPES))
    parser.add_argument("--backends", nargs="+", default=["eager", "folded", *RUNTIMES])
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of counted calls, a model's; one by one, a contestant's"
    )
    parser.add_argument(
        "--limit", type=float, default=1e9, help="seconds after which, one by one, no row is begun"
    )
    parser.add_argument("--one-by-one", action="store_true", help="as on CUDA")
    parser.add_argument("--no-errors", action="store_true", help="leave the float64 network out")
    parser.add_argument("--exported", type=Path, help="keep ONNX exports here for the next run")
    parser.add_argument("--json", type=Path, help="the report, instead of results/<machine>/generator.json")
    asked = parser.parse_args()
    device = pick_device(asked.device)
    if device.type == "cuda" or asked.one_by_one:
        asked.batches = asked.batches or ([1] if device.type == "cpu" else [1, 8, 32])
    asked.precisions = asked.precisions or (
        ["fp32", "bf16"] if device.type == "cpu" else ["fp16", "bf16", "fp32", "tf32"]
    )
    print(f"| {' | '.join(HEADS)} |\n|{' --- |' * len(HEADS)}")
    target = asked.json or HERE / "results" / machine() / "generator.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    facts = {"schema": 1, "suite": "generator", "version": __version__, "commit": commit()}
    save = partial(report, facts | {"device": asdict(device_facts(device)), "versions": versions()}, target)
    if device.type == "cuda" or asked.one_by_one:
        from generator_gpu import measure_all

        measure_all(asked, device, save)
    else:
        with tempfile.TemporaryDirectory() as folder:
            exported = asked.exported or Path(folder)
            exported.mkdir(parents=True, exist_ok=True)
            save([one_model(model, asked, device, exported) for model in asked.models])
    print(f"wrote {target}")


def report(facts: dict[str, Any], target: Path, models: list[dict[str, Any]]) -> None:
    """Writes what is there so far."""
    write_json({**facts, "models": models}, target)


if __name__ == "__main__":
    main()
