"""Settings made real: the device, detector, network and template of one run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from gpen_fast.device import Precision, pick_device, pick_precision, synchronize
from gpen_fast.errors import CheckpointError, DeviceError
from gpen_fast.gpen.checkpoint import build, random_state, read_declared
from gpen_fast.gpen.network import FullGenerator
from gpen_fast.gpen.spec import PUBLISHED, name_of
from gpen_fast.landmarks.book import Known
from gpen_fast.settings import Settings
from gpen_fast.stages.align import TEMPLATES
from gpen_fast.stages.detect._later import Later
from gpen_fast.stages.detect.base import Detector, open_detector
from gpen_fast.stages.generate._generator import Generator
from gpen_fast.stages.generate.base import open_backend
from gpen_fast.store.catalog import catalog
from gpen_fast.store.locate import Choice, choose


@dataclass(frozen=True, eq=False)
class Tools:
    """What the verbs work with.

    load_ms: what making all this took; None for random weights, which are drawn. known: faces found before.
    """

    settings: Settings
    device: torch.device
    precision: Precision
    detector: Detector
    generator: Generator
    model: str
    weights: Choice
    template: str
    load_ms: float | None
    known: Known | None = None

    @property
    def size(self) -> int:
        """Side of a face in the network, pixels."""
        return self.generator.backend.size


def open_tools(settings: Settings) -> Tools:
    """Finds, checks and loads everything before the first picture. Raises GpenError."""
    start = time.perf_counter()
    device = pick_device(settings.device)
    if settings.gpu_decode and device.type != "cuda":
        raise DeviceError(f"--gpu-decode needs CUDA, and this runs on {device}. Leave it out.")
    precision = pick_precision(settings.precision, device)
    known = Known(Path(settings.landmarks), settings) if settings.landmarks else None
    detector = Later(settings, device) if known and known.of_use else open_detector(settings, device)
    choice = choose(settings)
    network = _network(choice)
    template = settings.template or _template(choice, network)
    backend = open_backend(settings.backend, network, precision.name, device)
    synchronize(device)
    return Tools(
        settings,
        device,
        precision,
        detector,
        Generator(backend, settings.batch_size),
        choice.model or name_of(network.figures),
        choice,
        template,
        None if choice.random else (time.perf_counter() - start) * 1e3,
        known,
    )


def _network(choice: Choice) -> FullGenerator:
    """The network with its weights; CheckpointError where they are not of the model that was named."""
    if choice.path is None:
        assert choice.model is not None
        return build(random_state(PUBLISHED[choice.model].figures))
    network = build(choice.path)
    wanted = PUBLISHED.get(choice.model or "")
    if wanted is not None and wanted.figures != network.figures:
        raise CheckpointError(
            f"{choice.path} holds {name_of(network.figures)}, and {choice.model} was asked for. Leave --model out."
        )
    return network


def _template(choice: Choice, network: FullGenerator) -> str:
    """What the file declares, else what the published model of these figures needs, else GPEN's own."""
    declared = read_declared(choice.path).get("template") if choice.path else None
    if declared is not None and declared not in TEMPLATES:
        raise CheckpointError(
            f"{choice.path} declares the template {declared!r}: known are {', '.join(TEMPLATES)}. "
            "Name one by --template."
        )
    known = catalog().get(choice.model or name_of(network.figures))
    return declared or (known.template if known else None) or "gpen"
