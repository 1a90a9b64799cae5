"""The Python interface: `Restorer`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpen_fast.device.events import event_maker
from gpen_fast.device.streams import to_host
from gpen_fast.errors import InputsError, SettingsError
from gpen_fast.image.convert import like
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.engine import Engine
from gpen_fast.run.pipeline import Job, Pipeline
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import Settings
from gpen_fast.types import Restoration


class Restorer:
    """Restores the faces in pictures; the constructor loads the network, once.

    Nothing is downloaded and no question is asked: with `model="auto"` the best network runs whose weights are
    found. `gpen_fast.store.pull.pull` fetches weights.

    Args:
        model: The network: see `WeightsOptions`.
        detector: What detects the faces: see `DetectOptions`.
        device: Where to run: see `GenerateOptions`.
        precision: Arithmetic of the network: see `GenerateOptions`.
        **settings: Any other option by its own name, such as `weights`, `strength` or `batch_size`: see the parts
            of `Settings`. A file or folder may be a `Path`.

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
            name: str(value) if isinstance(value, Path) else value for name, value in settings.items()
        }
        self.settings = Settings.from_flat(
            model=model, detector=detector, device=device, precision=precision, **settings
        )
        if self.settings.random_weights:
            raise SettingsError(
                "random weights restore nothing: they are for gpen-fast profile and benchmarks."
            )
        self.runtime = load_runtime(self.settings)

    @property
    def notes(self) -> list[str]:
        """Why the network runs slower here than it might; empty where it does not."""
        return self.runtime.generator.notes

    def restore(self, image: Any) -> Restoration:
        """Restores one picture.

        image: a path; an (H,W,3) RGB uint8 array, also grey, with alpha, or uint16; a (3,H,W) tensor of the
        same; a PIL image. The result's image is of the same kind, depth and channels (a path gives an array).
        Raises PictureError or OSError for what cannot be read, GenerateError where the network fails.
        """
        job = self._pipeline().restore(_as_source(image))
        return self._restoration(job, image)

    def restore_many(self, paths: Iterable[str | Path]) -> Iterator[Restoration]:
        """Restores pictures overlapped and batched; yields in input order, failures with `.error` set."""

        if isinstance(paths, str | Path):
            raise InputsError(
                f"{str(paths)!r} is one path: restore_many takes several. Try restore, or a list."
            )

        def convert(job: Job) -> None:
            job.output = self._restoration(job, job.source)
            job.release()

        engine = Engine(self._pipeline())
        for job in engine.run((_as_source(path) for path in paths), convert):
            if job.error:
                yield Restoration(None, timing=job.timing, error=job.error, path=_path_of(job.source))
            else:
                yield job.output

    def _pipeline(self) -> Pipeline:
        device = self.runtime.device
        return Pipeline(self.runtime, Clock(Recorder(), make_event=event_maker(device)))

    def _restoration(self, job: Job, image: Any) -> Restoration:
        assert job.result is not None
        picture = like(image, job.result)
        faces = tuple(
            replace(face, crop=to_host(face.crop), restored=to_host(face.restored))
            for face in job.restored_faces()
        )
        return Restoration(picture, faces, job.timing, path=_path_of(job.source))


def _as_source(image: Any) -> Any:
    return Path(image) if isinstance(image, str) else image


def _path_of(source: Any) -> Path | None:
    return source if isinstance(source, Path) else None
