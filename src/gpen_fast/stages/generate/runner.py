"""Generate: crops of many pictures through the network in batches, each result checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.device.memory import is_out_of_memory, release_cached_memory
from gpen_fast.device.streams import AsyncHostCopy
from gpen_fast.errors import GenerateError
from gpen_fast.image.colour import from_network, to_network
from gpen_fast.stages.generate.base import Backend, Graphed, failures_named

# A face whose values spread less than this (standard deviation, the whole range being 2) looks like one colour.
FLAT = 4 / 127.5


@dataclass(frozen=True, eq=False)
class Launched:
    """Network calls that the device may still be working on. sound: whether each face is one."""

    crops: list[Tensor]
    faces: list[Tensor]
    valid: list[AsyncHostCopy]


class Generator:
    """Runs a backend over any number of crops, splits batches that do not fit into memory, guards results.

    redone: faces repeated in fp32 because half precision gave none.
    """

    def __init__(self, backend: Backend, batch_size: int | None = None) -> None:
        self.backend = backend
        self.batch_size = batch_size or backend.default_batch
        self.recomputed_fp32 = 0
        self._graphed = backend if isinstance(backend, Graphed) else None
        if self._graphed:
            self._graphed.expect(self.batch_size)

    @property
    def notes(self) -> list[str]:
        """What a user should know of how the network runs."""
        return list(self._graphed.notes) if self._graphed else []

    def launch_no_sync(self, crops: Sequence[Tensor]) -> Launched:
        """Queues the network over (3,S,S) uint8 or uint16 crops without waiting for the device.

        Raises GenerateError where not even one face fits into memory, DeviceError where the GPU fails.
        """
        launched = Launched(list(crops), [], [])
        with failures_named(self.backend.name):
            while len(launched.faces) < len(crops):
                done = len(launched.faces)
                self._run(crops[done : done + self.batch_size], launched)
        return launched

    def settle(self, launched: Launched) -> list[Tensor | GenerateError]:
        """Waits, and gives each face in its crop's depth; broken ones are repeated in fp32 or are an error.

        Raises DeviceError where the GPU failed.
        """
        with failures_named(self.backend.name):
            valid = torch.cat([copy.wait() for copy in launched.valid]).tolist()
            return [
                face if good else self._again(crop)
                for crop, face, good in zip(launched.crops, launched.faces, valid, strict=True)
            ]

    def _run(self, crops: Sequence[Tensor], launched: Launched) -> None:
        """One network call; halves the batch size instead where it does not fit into memory."""
        try:
            given = torch.stack([to_network(crop) for crop in crops])
            faces = self.backend(given)
            valid = is_valid(faces, given)
            kept = [from_network(face, crop.dtype) for face, crop in zip(faces, crops, strict=True)]
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        else:
            launched.valid.append(AsyncHostCopy(valid))
            launched.faces.extend(kept)
            return
        # Outside the handler, whose exception still holds the failed call's tensors.
        release_cached_memory()
        if self._relieved(len(crops)):
            return
        if len(crops) == 1:
            raise _too_large(crops[0])
        self.batch_size = min(self.batch_size, len(crops) // 2)

    def _relieved(self, batch: int) -> bool:
        """Whether a backend that holds memory for speed has let go of it, so that a second try may fit."""
        return self._graphed is not None and self._graphed.relieve(batch)

    def _again(self, crop: Tensor) -> Tensor | GenerateError:
        """The face in fp32: that is the truth, unless it is broken too."""
        try:
            given = to_network(crop)[None]
            faces = self.backend.exact(given)
            valid: bool | None = bool(is_valid(faces, given))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            valid = None
        if valid is None:
            return self._again(crop) if self._relieved(1) else _too_large(crop)
        self.recomputed_fp32 += 1
        if valid:
            return from_network(faces[0], crop.dtype)
        return GenerateError(
            "the network gave no face but one colour or no finite values, in fp32 too. Try other --weights."
        )


def _too_large(crop: Tensor) -> GenerateError:
    return GenerateError(
        f"not enough device memory for one face of {crop.shape[-1]} px. "
        "Try --fp16, a smaller --model, or --device cpu."
    )


def is_valid(faces: Tensor, given: Tensor) -> Tensor:
    """(B,) bool: all values finite, and not one colour where the input was none."""
    finite = torch.isfinite(faces).flatten(1).all(dim=1)
    return finite & ((_spread(faces) >= FLAT) | (_spread(given) < FLAT))


def _spread(faces: Tensor) -> Tensor:
    """(B,) the largest standard deviation over the pixels of a channel."""
    return faces.flatten(2).std(dim=2).amax(dim=1)
