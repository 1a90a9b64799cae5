"""`python -m gpen_fast.training need`: fits the measure of need."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from gpen_fast.device.threads import use_one_thread
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import Settings
from gpen_fast.stages.generate.runner import Generator
from gpen_fast.training.data import TRAIN, read_faces, read_manifest
from gpen_fast.training.need.fit import FitConfig, fit
from gpen_fast.training.need.samples import NeedSample, draw_sample
from gpen_fast.training.options import DataFolder, Processes

# Portraits that a process draws from, and the most pixels of one for each pixel of its original: upscaled ones have no
# fine detail that could be lost.
_PORTRAITS, _MOST_SCALE = 400, 0.95


def need_command(
    data: DataFolder,
    out: Annotated[Path, typer.Option(help="The JSON file to write: stages/need/need.json.")],
    model: Annotated[str, typer.Option(help="Network whose restorations are weighed.")] = "gpen-lite-256",
    samples: Annotated[int, typer.Option(min=1, help="Damaged faces, in all processes together.")] = 4400,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the fit.")] = FitConfig.steps,
    seed: Annotated[int, typer.Option(help="Decides every random choice.")] = 7,
    processes: Processes = 2,
) -> None:
    """Fit how much of a restoration a face needs, by frequency, to damaged training portraits."""
    found = draw_samples(data, model, samples, seed, processes)
    regressor = fit(found, FitConfig(steps=steps))
    out.write_text(regressor.as_json())
    typer.echo(f"{out}: fitted to {len(found)} faces")


def draw_samples(data: Path, model: str, count: int, seed: int, processes: int) -> list[NeedSample]:
    """Draws samples from the training split.

    Args:
        data: The training folder.
        model: Network whose restorations are weighed.
        count: Samples, shared by the processes.
        seed: Decides every random choice, together with the number of processes.
        processes: Processes; each computes on one core.
    """
    shares = [(data, model, count // processes, seed, worker) for worker in range(processes)]
    if processes == 1:
        return _drawn(*shares[0])
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), use_one_thread) as pool:
        return [sample for share in pool.map(_drawn, *zip(*shares, strict=True)) for sample in share]


def _drawn(data: Path, model: str, count: int, seed: int, worker: int) -> list[NeedSample]:
    rng = np.random.default_rng([worker, seed])
    options = Settings.from_flat(model=model, detector="none", precision="fp32")
    generator = load_runtime(options).generator
    size = generator.backend.size
    rows = [row for row in read_manifest(data, TRAIN) if row.scale <= _MOST_SCALE]
    some = [rows[place] for place in rng.permutation(len(rows))[:_PORTRAITS]]
    faces = read_faces(data, some, size)

    def network(crops: Tensor) -> Tensor:
        return restored_crops(generator, crops)

    with torch.inference_mode():
        return [draw_sample(faces, network, rng, size) for _ in range(count)]


def restored_crops(generator: Generator, crops: Tensor) -> Tensor:
    """(B,3,S,S) uint8 crops through a network: the same shape and type.

    Raises:
        GenerateError: The network gives no usable face.
    """
    done: list[Tensor] = []
    for face in generator.settle(generator.launch_no_sync(list(crops))):
        if isinstance(face, Exception):
            raise face
        done.append(face)
    return torch.stack(done)
