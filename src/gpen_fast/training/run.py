"""A whole training run: its processes, its saved state, its log, and the held-out tests in between."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import start_processes

from gpen_fast.device.select import pick_device
from gpen_fast.device.threads import use_one_thread
from gpen_fast.errors import SettingsError
from gpen_fast.training.loop import TrainingLoop

STATE, LOG = "state.pt", "log.jsonl"
L = TypeVar("L", bound=TrainingLoop)
R = TypeVar("R")


class RunConfig(Protocol):
    """What a run reads from the config of whatever is trained."""

    @property
    def steps(self) -> int:
        """Steps of the whole run."""

    @property
    def batch(self) -> int:
        """Samples in a step, shared by the processes."""

    @property
    def save_every(self) -> int:
        """Steps between two saved states."""

    @property
    def test_every(self) -> int:
        """Steps between two held-out tests."""


class TrainingTask(Protocol[L, R]):
    """What is trained. L is its trainer, R a row of its held-out test. It is pickled for the other processes."""

    @property
    def config(self) -> RunConfig:
        """The run's config."""

    def open(self, data: Path, processes: int, device: torch.device, rank: int) -> L:
        """Returns the trainer of process `rank` out of `processes`, before its first step."""

    def evaluate(self, data: Path, trainer: L) -> list[R]:
        """Returns the held-out test, or a part of it."""


@dataclass(frozen=True)
class TrainingRun(Generic[L, R]):
    """A run on this machine."""

    task: TrainingTask[L, R]
    """What is trained, and how."""

    data: Path
    """The training folder: aligned faces and manifest.csv."""

    out: Path
    """The folder of the run's state and log."""

    processes: int = 1
    """Processes that share each batch, on a CPU only; each computes on one core."""

    device: str = "cpu"
    """Where it runs, as `--device` takes it."""

    def __post_init__(self) -> None:
        batch = self.task.config.batch
        if self.processes < 1 or batch % self.processes:
            raise SettingsError(
                f"{self.processes} processes: a batch of {batch} must divide evenly among them."
            )
        if self.processes > 1 and self.device != "cpu":
            raise SettingsError(
                f"{self.processes} processes on {self.device}: accepted is 1, or --device cpu."
            )


@dataclass(frozen=True)
class TrainingReport(Generic[R]):
    """What happened since the last report. Its fields are the keys of a line in the log."""

    step: int
    """Steps taken so far."""

    loss: float
    """The mean loss."""

    pictures_per_second: float
    """Samples trained on in a second, in all processes together."""

    rows: list[R]
    """The held-out test; empty if none was due."""


def train(run: TrainingRun[L, R], report: Callable[[TrainingReport[R]], None]) -> Path:
    """Trains until the run's last step, and resumes from the state in the run's folder.

    Args:
        run: The run.
        report: Called after each saved state.

    Returns:
        The path of the final state.

    Raises:
        InputsError: The training data cannot be read.
        CheckpointError: The training diverged, or the state is of another network.
    """
    run.out.mkdir(parents=True, exist_ok=True)
    with _companions(run):
        _train(run, 0, report)
    return run.out / STATE


@contextmanager
def _companions(run: TrainingRun[L, R]) -> Iterator[None]:
    """Runs the other processes beside the block; they end with it."""
    if run.processes == 1:
        yield
        return
    # Another program could take the port before the group is opened; the run then fails at once and can be repeated.
    port = _free_port()
    others = start_processes(
        _companion, (run, port), nprocs=run.processes - 1, join=False, daemon=True, start_method="spawn"
    )
    try:
        _join(run, 0, port)
        yield
        # The others take their last step together with this one: their gradients are averaged.
        others.join()
    finally:
        for process in others.processes:
            process.terminate()
        if dist.is_initialized():
            dist.destroy_process_group()


def _companion(index: int, run: TrainingRun[L, R], port: int) -> None:
    _join(run, index + 1, port)
    _train(run, index + 1, None)
    dist.destroy_process_group()


def _join(run: TrainingRun[L, R], rank: int, port: int) -> None:
    """Joins the group whose processes average their gradients."""
    use_one_thread()
    dist.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=run.processes
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _train(run: TrainingRun[L, R], rank: int, report: Callable[[TrainingReport[R]], None] | None) -> None:
    """Trains in one process; only the process that reports saves and tests."""
    task, config = run.task, run.task.config
    trainer = task.open(run.data, run.processes, pick_device(run.device), rank)
    if (run.out / STATE).exists():
        trainer.resume(run.out / STATE)
    # Losses and time since the last report.
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
            rate = len(losses) * config.batch / seconds
            _publish(run, report, TrainingReport(trainer.done, mean, rate, rows))
            losses, start = [], time.perf_counter()


def _publish(
    run: TrainingRun[L, R], report: Callable[[TrainingReport[R]], None], what: TrainingReport[R]
) -> None:
    """Appends a report to the log and passes it on."""
    with (run.out / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(asdict(what)) + "\n")
    report(what)
