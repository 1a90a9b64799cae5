"""What a run works with, loaded from its settings: the device, detector, network and template."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch

from gpen_fast.detections.cache import DetectionCache
from gpen_fast.device.precision import Precision, pick_precision
from gpen_fast.device.select import describe, pick_device, pick_devices
from gpen_fast.device.streams import synchronize
from gpen_fast.errors import CheckpointError, DeviceError
from gpen_fast.gpen.checkpoint import build, random_state, read_declared
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.settings import AUTO_SIZE, GenerateOptions, Settings
from gpen_fast.stages.align import TEMPLATES
from gpen_fast.stages.detect.any_angle import open_any_angle
from gpen_fast.stages.detect.base import Detector
from gpen_fast.stages.detect.beside import DetectorOnHost
from gpen_fast.stages.detect.lazy import LazyDetector
from gpen_fast.stages.generate.base import Backend, check_backend, open_backend
from gpen_fast.stages.generate.runner import Generator
from gpen_fast.stages.generate.tuning import tuned_batch_size
from gpen_fast.store.catalog import catalog
from gpen_fast.store.locate import Choice, choose_weights
from gpen_fast.store.published import PUBLISHED, name_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Runtime:
    """What the verbs work with, loaded before the first picture."""

    settings: Settings
    """What was asked for; the fields below say what that became."""

    device: torch.device
    """Where the network runs."""

    precision: Precision
    """Arithmetic of the network on this device."""

    detector: Detector
    """Finds the faces; it may be shared by several threads."""

    generator: Generator
    """The network, and how many faces it takes a call."""

    model: str
    """The network's published name, or a name made from its size."""

    weights: Choice
    """Where the network's weights came from."""

    template: str
    """Where the landmarks lie in a crop."""

    load_ms: float | None
    """Milliseconds to load all this; None for random weights, which are drawn instead of read."""

    detection_cache: DetectionCache | None = None
    """Faces found in earlier runs; None where no file of them was named."""

    @property
    def size(self) -> int:
        """Side of a face in the network, pixels."""
        return self.generator.backend.size

    @property
    def network_note(self) -> str:
        """What the network does not do, as a sentence; empty for GPEN's own networks and for files of the user's."""
        known = catalog().get(self.model)
        return f"{known.name} {known.limits}." if known and known.limits else ""

    @property
    def summary(self) -> str:
        """What runs, in one line."""
        return (
            f"{describe(self.device)} | {self.model} ({self.generator.backend.name}) | "
            f"detector {self.detector.name} | {self.precision.name}"
        )


class _WithoutNetwork(NamedTuple):
    """What is opened before the network's weights, because it can fail without them."""

    device: torch.device
    precision: Precision
    detector: Detector
    detection_cache: DetectionCache | None
    backend: str


def check_runtime(settings: Settings) -> None:
    """Raises what `load_runtime` raises, except for what only the network's weights can tell.

    For callers that fetch weights: a wrong name or an absent device is reported before the download.

    Args:
        settings: What was asked for.

    Raises:
        DeviceError: The device or the precision is not available here.
        PluginError: A detector or backend does not exist, lacks a package, or does not run on the device.
        WeightsNotFoundError: The detector that was named has no weights.
        HashError: The detector's weights file is not the published one.
        LandmarksError: The file of landmarks cannot be read.
    """
    _open_without_network(settings)


def load_runtime(settings: Settings) -> Runtime:
    """Finds, checks and loads everything before the first picture. Downloads nothing.

    Args:
        settings: What was asked for. `auto` becomes the best that is there.

    Raises:
        DeviceError: The device or the precision is not available here.
        PluginError: A detector or backend does not exist, or lacks a package.
        WeightsNotFoundError: No weights were found; the message lists where they were searched.
        HashError: A weights file is not the published one.
        CheckpointError: The file holds another network than the one that was asked for, or no network.
        LandmarksError: The file of landmarks cannot be read.
    """
    start = time.perf_counter()
    return _with_weights(settings, _open_without_network(settings), start)


def with_network(first: Runtime, model: str) -> Runtime:
    """The same device and detector with another network.

    Args:
        first: What is loaded.
        model: The network's name in the catalog.

    Raises:
        GpenError: As `load_runtime`.
    """
    start = time.perf_counter()
    weights = replace(first.settings.weights, model=model, weights=None)
    opened = _WithoutNetwork(
        first.device,
        first.precision,
        first.detector,
        first.detection_cache,
        check_backend(first.settings.generate.backend, first.device),
    )
    return _with_weights(replace(first.settings, weights=weights), opened, start)


def _with_weights(settings: Settings, opened: _WithoutNetwork, start: float) -> Runtime:
    """Everything, once the network is found and loaded. start: when that began, by `time.perf_counter`."""
    device, precision, detector, detection_cache, backend_name = opened
    _log.info("finding and checking the network's weights (%s)", settings.weights.model)
    choice = choose_weights(settings.weights)
    _log.info("reading %s", choice.path.name if choice.path else f"random weights of {choice.model}")
    network = _network(choice)
    template = settings.paste.template or _template(choice, network)
    _log.info("preparing the network on %s (%s)", device, precision.name)
    backend = open_backend(backend_name, network, precision.name, device)
    synchronize(device)
    return Runtime(
        settings,
        device,
        precision,
        detector,
        Generator(backend, _batch_size(settings.generate, backend, device, precision, network)),
        choice.model or name_of(network.config),
        choice,
        template,
        None if choice.random else (time.perf_counter() - start) * 1e3,
        detection_cache,
    )


def runtimes_beside(first: Runtime) -> list[Runtime]:
    """Loads the same on the other devices that the settings name; empty where they name one, or a CPU.

    Args:
        first: What runs on the first of them.

    Raises:
        GpenError: As `load_runtime`.
    """
    settings, generate = first.settings, first.settings.generate
    others = pick_devices(generate.devices)[1:] if generate.devices else []
    return [
        load_runtime(replace(settings, generate=replace(generate, devices=None, device=str(device))))
        for device in others
    ]


def _open_without_network(settings: Settings) -> _WithoutNetwork:
    generate, landmarks = settings.generate, settings.detect.landmarks
    device = pick_devices(generate.devices)[0] if generate.devices else pick_device(generate.device)
    if settings.load.gpu_decode and device.type != "cuda":
        raise DeviceError(f"--gpu-decode needs CUDA, and this runs on {device}. Leave it out.")
    precision = pick_precision(generate.precision, device)
    backend = check_backend(generate.backend, device)
    detection_cache = DetectionCache(Path(landmarks), settings.detect) if landmarks else None
    opened = LazyDetector if detection_cache and detection_cache.any_applies else open_any_angle
    _log.info("opening the detector (%s)", settings.detect.detector)
    beside = settings.detect.detect_device == "cpu"
    where = torch.device("cpu") if beside else device
    detector = opened(settings.detect, settings.weights, where, generate.precision)
    if beside and device.type == "cuda" and not detector.on_host:
        detector = DetectorOnHost(detector)
    return _WithoutNetwork(device, precision, detector, detection_cache, backend)


def _batch_size(
    options: GenerateOptions,
    backend: Backend,
    device: torch.device,
    precision: Precision,
    network: FullGenerator,
) -> int | None:
    """Faces of a call at most; None: the backend's default."""
    if options.deterministic:
        return 1
    if options.batch_size == AUTO_SIZE:
        return tuned_batch_size(backend, device, f"{network.config} {precision.name}")
    return options.batch_size


def _network(choice: Choice) -> FullGenerator:
    """The network with its weights. Raises CheckpointError where they are not those of the model that was named."""
    if choice.path is None:
        assert choice.model is not None
        return build(random_state(PUBLISHED[choice.model].config))
    network = build(choice.path)
    wanted = PUBLISHED.get(choice.model or "")
    if wanted is not None and wanted.config != network.config:
        raise CheckpointError(
            f"{choice.path} holds {name_of(network.config)}, but {choice.model} was asked for. Leave --model out."
        )
    return network


def _template(choice: Choice, network: FullGenerator) -> str:
    """What the file declares; else what the published model with this config needs; else GPEN's own."""
    declared = read_declared(choice.path).get("template") if choice.path else None
    if declared is not None and declared not in TEMPLATES:
        raise CheckpointError(
            f"{choice.path} declares the template {declared!r}: known are {', '.join(TEMPLATES)}. "
            "Name one with --template."
        )
    entry = catalog().get(choice.model or name_of(network.config))
    return declared or (entry.template if entry else None) or "gpen"
