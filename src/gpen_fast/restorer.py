"""The Python interface: `Restorer`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from gpen_fast.device.events import event_maker
from gpen_fast.device.fork import ForkGuard, ready_after_fork
from gpen_fast.device.streams import to_host
from gpen_fast.errors import InputsError, SettingsError, summary
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.engine import Engine
from gpen_fast.run.job import Failed, Pasted, PictureSource, numbered
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.restoration import Restoration, restoration_of
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import Settings
from gpen_fast.types import AnyPicture, as_picture

_log = logging.getLogger(__name__)


class Restorer:
    """Restores the faces in pictures; the constructor loads the network, once.

    Nothing is downloaded and no question is asked: with `model="auto"` the best network runs whose weights are
    found. `gpen_fast.store.pull.pull` fetches weights.

    A forked child process may use a Restorer of its parent: on a CPU it then computes on one core, since threads do not
    survive a fork. On CUDA, and where the parent was restoring during the fork, it is refused at once. To another
    process a Restorer is passed by its settings (pickle): the network is loaded there.

    Args:
        model: The network: see `WeightsOptions`.
        detector: What detects the faces: see `DetectOptions`.
        device: Where to run: see `GenerateOptions`.
        precision: Arithmetic of the network: see `GenerateOptions`.
        **settings: Any other option by its own name, such as `weights`, `strength` or `batch_size`: see the parts
            of `Settings`. A file or folder may be any os.PathLike.

    Raises:
        SettingsError: A name is unknown, a value is not accepted, or the weights are random.
        DeviceError: The device is missing, or lacks the precision.
        WeightsNotFoundError: The network's or the detector's weights are missing.
        HashError: A file has another hash than the one that is accepted.
        CheckpointError: A file holds no GPEN network, or another than the one that is named.
        PluginError: A detector or backend does not exist, or its package is missing.

    >>> restorer = Restorer(weights="GPEN-BFR-512.pth")  # doctest: +SKIP
    >>> restored = restorer.restore("family.jpg").image  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str = "auto",
        detector: str = "auto",
        device: str = "auto",
        precision: str = "auto",
        **settings: object,
    ) -> None:
        settings = {
            name: os.fsdecode(value) if isinstance(value, os.PathLike) else value
            for name, value in settings.items()
        }
        ready_after_fork()
        self.settings = Settings.from_flat(
            model=model, detector=detector, device=device, precision=precision, **settings
        )
        if self.settings.random_weights:
            raise SettingsError(
                "random weights restore nothing: they are for gpen-fast profile and benchmarks."
            )
        if self.settings.generate.devices:
            raise SettingsError(
                "devices: a Restorer works on one device. Make one for each, with device, or use gpen-fast enhance."
            )
        self.runtime = load_runtime(self.settings)
        self._guard = ForkGuard(self.runtime.device)
        _log.info("ready: %s", self.runtime.summary)
        for note in self.notes:
            _log.warning("%s", note)

    def __reduce__(self) -> tuple[object, ...]:
        return _from_settings, (self.settings.as_flat(),)

    @property
    def model(self) -> str:
        """The network that runs, by its published name: `auto` is replaced by what was found."""
        return self.runtime.model

    @property
    def detector(self) -> str:
        """The detector that runs: `auto` is replaced by what was found."""
        return self.runtime.detector.name

    @property
    def notes(self) -> list[str]:
        """What the user should know of this network on this machine, as sentences; empty where there is nothing.

        Whether it is a network that does not restore as GPEN does, how to get a better one, and what slows it down.
        """
        better = self.runtime.weights.better
        get_it = [f"A better network: {better}"] if better else []
        return [*filter(None, [self.runtime.network_note]), *get_it, *self.runtime.generator.notes]

    def restore(self, image: AnyPicture) -> Restoration:
        """Restores one picture.

        Args:
            image: A path, also any os.PathLike; an (H,W,3) RGB uint8 array, also grey, with alpha, or uint16; a
                (3,H,W) tensor of the same; a PIL image; a Frame, as `load_image` returns it.

        Returns:
            The picture in the input's kind, depth and channels (a path gives an array), and its faces.

        Raises:
            PictureError: The input is not a picture, or is damaged.
            OSError: The file cannot be read.
            GenerateError: The network gives no usable face.
            DeviceError: The device fails, or this process was forked and cannot restore.
        """
        with self._guard.at_work():
            return _restoration(self._pipeline().restore(PictureSource(0, as_picture(image))))

    def restore_many(self, paths: Iterable[AnyPicture]) -> Iterator[Restoration]:
        """Restores pictures overlapped and in batches.

        Args:
            paths: Pictures as `restore` takes them. They are taken a few at a time: an endless iterable is accepted.

        Yields:
            What became of each, in input order; a picture that fails has `error` set and no image.

        Raises:
            InputsError: `paths` is one path.
            DeviceError: The device fails, or this process was forked and cannot restore. It ends the run.
        """
        if isinstance(paths, str | bytes | os.PathLike):
            raise InputsError(
                f"{os.fsdecode(paths)!r} is one path: restore_many takes several. Try restore, or a list."
            )
        sources = numbered(as_picture(path) for path in paths)
        with self._guard.at_work():
            for done in Engine(self._pipeline()).run(sources, _restoration):
                if isinstance(done, Failed):
                    _log.warning("failed: %s: %s", done.source.path or "a picture", summary(done.error))
                    yield Restoration(None, timing=done.timing, error=done.error, path=done.source.path)
                else:
                    yield done
                self._guard.check()  # a child that was forked since has none of the run's threads

    def _pipeline(self) -> Pipeline:
        device = self.runtime.device
        return Pipeline(self.runtime, Clock(Recorder(), make_event=event_maker(device)))


def _from_settings(flat: dict[str, object]) -> Restorer:
    return Restorer(**flat)  # type: ignore[arg-type]  # the names and types of `as_flat`


def _restoration(picture: Pasted) -> Restoration:
    """The picture as its caller gets it, in host memory."""
    faces = tuple(
        replace(face, crop=to_host(face.crop), restored=to_host(face.restored))
        for face in picture.restored_faces()
    )
    return restoration_of(picture, faces)
