"""How fast a training runs, beside what its arithmetic alone would take on this device."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from gpen_fast.training.lite.trainer import LiteTrainer

# Side of the square matrices whose product gives the device's peak.
_SIDES = {"cpu": 2048, "cuda": 8192}


@dataclass(frozen=True)
class TrainingSpeed:
    """The speed of one phase of a run."""

    pictures_per_second: float
    """Faces trained on in a second."""

    flops: float
    """Floating-point operations of one face: convolutions and matrix products, forward and backward."""

    peak: float
    """Operations per second that the device reaches in one large matrix product of the same type."""

    @property
    def floor(self) -> float:
        """Pictures per second if nothing but these operations took time."""
        return self.peak / self.flops

    @property
    def share(self) -> float:
        """The part of the floor's speed that is reached."""
        return self.pictures_per_second / self.floor


def training_speed(trainer: LiteTrainer, seconds: float, start: int) -> TrainingSpeed:
    """Measures a trainer, which is changed by it: train with another one.

    Args:
        trainer: The trainer.
        seconds: How long to measure, about.
        start: The number of the first step: from the adversary's first step on, its work is included.
    """
    trainer.done = start
    trainer.step()
    flops = _counted(trainer)
    took, steps = _timed(trainer, 1), 1
    steps = max(2, min(1000, round(seconds / max(took, 1e-4))))
    took = _timed(trainer, steps)
    batch = trainer.batches.batch
    return TrainingSpeed(steps * batch / took, flops / batch, peak_flops(trainer.device, trainer.dtype))


def _counted(trainer: LiteTrainer) -> int:
    """The operations of one step without an R1 penalty, which few steps have and the counter cannot follow."""
    adversary = trainer.adversary
    config = adversary.config if adversary else None
    if adversary and config:
        adversary.config = replace(config, r1_every=1 << 30)
    with FlopCounterMode(display=False) as counter:
        trainer.step()
    if adversary and config:
        adversary.config = config
    return counter.get_total_flops()


def _timed(trainer: LiteTrainer, steps: int) -> float:
    """Seconds of some steps; each ends with its loss on the host, so nothing is left queued."""
    begin = time.perf_counter()
    for _ in range(steps):
        trainer.step()
    return time.perf_counter() - begin


def peak_flops(device: torch.device, dtype: torch.dtype) -> float:
    """Returns the operations per second of the fastest of five large matrix products."""
    side = _SIDES.get(device.type, 2048)
    square = torch.ones(side, side, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        # The sum brings a number to the host, so the product has ended.
        float((square @ square)[0, 0])
        best = min(best, time.perf_counter() - begin)
    return 2.0 * side**3 / best
