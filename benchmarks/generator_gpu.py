"""`generator.py` on a GPU: one contestant at a time in turns with the reference, timed by device events.

Contestants on a GPU keep memory for speed, so only one is open at a time. A run may be cut short, so the most important
rows come first and the report is written after each. A turn queues the reference and then the contestant without a wait
between them: the device runs the first while the host prepares the second.
"""

from __future__ import annotations

import argparse
import copy
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from generator_rows import Contestant, allocated_bytes, faces_of, flop_of, row_of, show
from runtimes import RUNTIMES
from torch import Tensor

from gpen_fast.device.events import event_maker
from gpen_fast.device.memory import is_out_of_memory, peak_bytes, reset_peak
from gpen_fast.device.streams import synchronize
from gpen_fast.device.threads import seeded
from gpen_fast.errors import GpenError
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.stages.generate.base import open_backend
from gpen_fast.store.published import PUBLISHED

MIN_CALLS, MAX_CALLS, WARMUP_CALLS = 5, 20, 2
# The most faces in the reference's call: more take time and memory without being faster per face.
BASE_BATCH = 8


@dataclass(frozen=True, eq=False)
class Subject:
    """A network on the device. face: (1,3,S,S). truth: the reference network's output for it in float64, or None."""

    name: str
    config: GeneratorConfig
    network: FullGenerator
    face: Tensor
    truth: Tensor | None

    @property
    def bytes(self) -> int:
        """Returns the bytes of its weights."""
        return sum(each.numel() * each.element_size() for each in self.network.state_dict().values())


def measure_all(
    options: argparse.Namespace, device: torch.device, save: Callable[[list[dict[str, Any]]], None]
) -> None:
    """Measures every contestant that the options name; `save` is called with all models after each row."""
    # Allocate the libraries' workspace before any contestant's memory is counted.
    torch.ones(8, 8, device=device) @ torch.ones(8, 8, device=device)
    start, subjects, results = time.perf_counter(), {}, {}
    save([])
    for precision, model, backend, batch in order(options):
        what = f"{model} {backend} {precision} batch {batch}"
        if time.perf_counter() - start > options.limit:
            print(f"left out: {what} (out of time)", flush=True)
            continue
        try:
            if model not in subjects:
                subjects[model] = make_subject(model, device, options.no_errors)
                gflop = round(flop_of(subjects[model].config) / 1e9, 2)
                results[model] = {"model": model, "gflop": gflop, "rows": []}
            row = measure_one(subjects[model], (backend, precision, batch), options.seconds, device)
        except (GpenError, RuntimeError) as error:
            if not isinstance(error, GpenError) and not is_out_of_memory(error):
                raise
            print(f"left out: {what} ({str(error).partition(chr(10))[0]})", flush=True)
            continue
        finally:
            forget(device)
        show(row)
        results[model]["rows"].append(row)
        save(list(results.values()))


def order(options: argparse.Namespace) -> Iterator[tuple[str, str, str, int]]:
    """Precision, model, backend and batch of each contestant, in the order of the options."""
    for precision in options.precisions:
        for model in options.models:
            for backend in (each for each in options.backends if each not in RUNTIMES):
                for batch in options.batches:
                    yield precision, model, backend, batch


def make_subject(model: str, device: torch.device, no_errors: bool) -> Subject:
    """A network with random weights of true shapes."""
    config = PUBLISHED[model].config
    network = build(random_state(config)).to(device)
    face = faces_of(1, config.size, seeded(2)).to(device)
    truth = None
    if not no_errors:
        with torch.no_grad():
            truth = copy.deepcopy(network).double()(face.double()).cpu()
    return Subject(model, config, network, face, truth)


def forget(device: torch.device) -> None:
    """Frees the previous contestant's memory, so that it does not count for the next one."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def measure_one(
    subject: Subject, key: tuple[str, str, int], seconds: float, device: torch.device
) -> dict[str, Any]:
    """Opens one contestant, measures it and returns its row."""
    backend, precision, batch = key
    base = open_backend("eager", subject.network, "fp32", device)
    before = allocated_bytes(device)
    run = base if key[:2] == ("eager", "fp32") else open_backend(backend, subject.network, precision, device)
    after = allocated_bytes(device)
    weights = (
        None if before is None or after is None else subject.bytes if backend == "eager" else after - before
    )
    contestant = Contestant(backend, precision, batch, run, weights)
    inputs = [
        torch.rand(batch, 3, subject.config.size, subject.config.size, device=device) * 2 - 1
        for _ in range(2)
    ]
    first_call(contestant, inputs, device)
    if subject.truth is not None:
        restored = run(subject.face.expand(batch, -1, -1, -1).contiguous())[:1].double().cpu()
        contestant.error = float((restored - subject.truth).norm() / subject.truth.norm())
    reference_seconds = in_turn(base, contestant, inputs, seconds, device)
    return row_of(subject.name, contestant, reference_seconds, {}, flop_of(subject.config), device) | {
        "notes": list(getattr(run, "notes", []))
    }


def first_call(contestant: Contestant, inputs: list[Tensor], device: torch.device) -> None:
    """Measures the first call, and the peak memory of the first two calls less weights and input."""
    reset_peak(device)
    before, start = allocated_bytes(device), time.perf_counter()
    for number, faces in enumerate(inputs):
        contestant.run(faces)
        synchronize(device)
        contestant.first = contestant.first if number else time.perf_counter() - start
    peak = peak_bytes(device)
    contestant.activation_bytes = None if before is None or peak is None else peak - before


def in_turn(
    base: Callable[[Tensor], Tensor],
    contestant: Contestant,
    inputs: list[Tensor],
    seconds: float,
    device: torch.device,
) -> float:
    """Measures the contestant in turns with the reference. Returns the reference's median seconds per face."""
    base_batch, reference_seconds = min(contestant.batch, BASE_BATCH), []
    for _ in range(WARMUP_CALLS):
        turn(lambda: base(inputs[0][:base_batch]), lambda: contestant.run(inputs[0]), device)
    end = time.perf_counter() + seconds
    while len(reference_seconds) < MIN_CALLS or (
        len(reference_seconds) < MAX_CALLS and time.perf_counter() < end
    ):
        faces = inputs[len(reference_seconds) % len(inputs)]
        seconds_of_both = turn(
            lambda faces=faces: base(faces[:base_batch]), lambda faces=faces: contestant.run(faces), device
        )
        reference_seconds.append(seconds_of_both[0] / base_batch)
        contestant.times.append(seconds_of_both[1])
    return sorted(reference_seconds)[len(reference_seconds) // 2]


def turn(first: Callable[[], Any], then: Callable[[], Any], device: torch.device) -> tuple[float, float]:
    """Seconds of both calls on the device; wall time on a CPU."""
    make = event_maker(device)
    if make is None:
        times = [time.perf_counter()]
        for call in (first, then):
            call()
            times.append(time.perf_counter())
        return times[1] - times[0], times[2] - times[1]
    begin, between, end = make(), make(), make()
    begin.record()
    first()
    between.record()
    then()
    end.record()
    end.synchronize()
    return begin.elapsed_time(between) / 1e3, between.elapsed_time(end) / 1e3
