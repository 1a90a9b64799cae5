"""A whole run: processes, resume, the log, the held-out test now and then."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import start_processes

from gpen_fast.device.select import pick_device
from gpen_fast.device.threads import use_one_thread
from gpen_fast.errors import SettingsError
from gpen_fast.training import restoring
from gpen_fast.training.config import Config
from gpen_fast.training.landmarks import task as landmarks
from gpen_fast.training.landmarks.config import Config as LandmarkConfig
from gpen_fast.training.loop import Loop

STATE, LOG = "state.pt", "log.jsonl"


class Task(Protocol):
    """What is trained: a module that opens a run and looks at how it does."""

    def opened(self, config: Any, data: Path, share: int, device: torch.device, rank: int) -> Loop:
        """A run's beginning in one of `share` processes."""

    def evaluate(self, data: Path, trainer: Any) -> list[Any]:
        """The held-out test, or a part of it."""


@dataclass(frozen=True)
class Run:
    """What to train, on what, where to. processes: on the CPU, single-threaded each, sharing every batch."""

    config: Config | LandmarkConfig
    data: Path
    out: Path
    processes: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.processes < 1 or self.config.batch % self.processes:
            raise SettingsError(
                f"{self.processes} processes: a batch of {self.config.batch} must divide evenly."
            )
        if self.processes > 1 and self.device != "cpu":
            raise SettingsError(f"{self.processes} processes on {self.device}: more than one is for the CPU.")


@dataclass(frozen=True)
class Report:
    """What happened since the last report. loss: the mean. rows: of the held-out test, or none."""

    step: int
    loss: float
    pictures_per_second: float
    rows: list[Any]


def train(run: Run, report: Callable[[Report], None]) -> Path:
    """Trains, going on from the last state in `run.out`; returns the path of the final state."""
    run.out.mkdir(parents=True, exist_ok=True)
    with _companions(run):
        _train(run, 0, report)
    return run.out / STATE


@contextmanager
def _companions(run: Run) -> Iterator[None]:
    """The other processes; they end with this one."""
    if run.processes == 1:
        yield
        return
    port = _free_port()
    others = start_processes(
        _companion, (run, port), nprocs=run.processes - 1, join=False, daemon=True, start_method="spawn"
    )
    try:
        _join(run, 0, port)
        yield
        others.join()
    finally:
        for process in others.processes:
            process.terminate()
        if dist.is_initialized():
            dist.destroy_process_group()


def _companion(index: int, run: Run, port: int) -> None:
    _join(run, index + 1, port)
    _train(run, index + 1, None)
    dist.destroy_process_group()


def _join(run: Run, rank: int, port: int) -> None:
    use_one_thread()
    dist.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=run.processes
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _task(run: Run) -> Task:
    return restoring if isinstance(run.config, Config) else landmarks


def _train(run: Run, rank: int, report: Callable[[Report], None] | None) -> None:
    config, task = run.config, _task(run)
    trainer = task.opened(config, run.data, run.processes, pick_device(run.device), rank)
    if (run.out / STATE).exists():
        trainer.resume(run.out / STATE)
    losses: list[float] = []
    start = time.perf_counter()
    while trainer.done < config.steps:
        losses.append(trainer.step())
        last = trainer.done == config.steps
        if report and (last or trainer.done % config.save_every == 0):
            trainer.save(run.out / STATE)
            seconds = time.perf_counter() - start
            rows = task.evaluate(run.data, trainer) if last or trainer.done % config.test_every == 0 else []
            mean = sum(losses) / len(losses)
            _note(run, report, Report(trainer.done, mean, len(losses) * config.batch / seconds, rows))
            losses, start = [], time.perf_counter()


def _note(run: Run, report: Callable[[Report], None], what: Report) -> None:
    with (run.out / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(asdict(what)) + "\n")
    report(what)
