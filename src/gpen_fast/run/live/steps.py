"""The quality steps of a live run: which network restores a frame, and how often."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from gpen_fast.device.threads import seeded
from gpen_fast.errors import GpenError, first_line
from gpen_fast.run.runtime import Runtime, with_network
from gpen_fast.store.locate import present
from gpen_fast.store.published import PUBLISHED

_log = logging.getLogger(__name__)

# Networks from the best one down. Those that are not present are left out; none is fetched.
LIVE_NETWORKS = ("gpen-bfr-512", "gpen-bfr-256", "gpen-lite-256")
# Names of the steps that are no networks.
EVERY_SECOND, PASS_THROUGH = "every second frame", "pass through"
# Calls of a network before the first frame. The first one prepares it, and the fastest of the others is its cost.
_CALLS = 3
# Seconds after which no further call is made: a network so slow is not going to run.
_ENOUGH_S = 1.0


@dataclass(frozen=True, eq=False)
class QualityStep:
    """One step."""

    name: str
    """Its name in the report."""
    runtime: Runtime
    """What restores the faces."""
    every: int
    """The network runs on each so many-th frame, and its last change is carried along in between; 0: no frame is
    changed."""
    cost: float
    """Seconds that the network takes for a frame with one face, on average."""


def quality_steps(first: Runtime) -> list[QualityStep]:
    """The steps of a run, the best one first. Opens the smaller networks, and times each.

    Args:
        first: What runs at the best step.
    """
    runtimes = [first, *_smaller(first)]
    steps = [QualityStep(each.model, each, 1, face_cost(each)) for each in runtimes]
    last = steps[-1]
    return [
        *steps,
        QualityStep(EVERY_SECOND, last.runtime, 2, last.cost / 2),
        QualityStep(PASS_THROUGH, last.runtime, 0, 0.0),
    ]


def face_cost(runtime: Runtime) -> float:
    """Seconds that the network takes for one face, once it is prepared."""
    size = (3, runtime.size, runtime.size)
    face = torch.randint(0, 256, size, generator=seeded(0), dtype=torch.uint8).to(runtime.device)
    times: list[float] = []
    _log.info("timing %s", runtime.model)
    while len(times) < _CALLS and sum(times) < _ENOUGH_S:
        begun = time.perf_counter()
        runtime.generator.settle(runtime.generator.launch_no_sync([face]))
        times.append(time.perf_counter() - begun)
    return min(times[1:] or times)


def _smaller(first: Runtime) -> list[Runtime]:
    """The networks below the first that are present."""
    found = []
    for name in _below(first):
        try:
            if present(name, first.settings.weights):
                found.append(with_network(first, name))
        except GpenError as error:
            _log.info("%s is left out: %s", name, first_line(error))
    return found


def _below(first: Runtime) -> Sequence[str]:
    """The names of the networks that take less than the first."""
    if first.weights.model in LIVE_NETWORKS:
        return LIVE_NETWORKS[LIVE_NETWORKS.index(first.weights.model) + 1 :]
    return [name for name in LIVE_NETWORKS if PUBLISHED[name].config.size < first.size]
