"""Generate: crops of many pictures through the network in batches, each result checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.colour import from_network, to_network
from gpen_fast.device import Readback
from gpen_fast.errors import GenerateError
from gpen_fast.stages.generate.base import Backend

# A face whose values spread less than this (standard deviation; the whole range is 2) is one colour to the eye.
FLAT = 4 / 127.5


@dataclass(frozen=True, eq=False)
class Launched:
    """Network calls that the device may still be working on."""

    dtypes: list[torch.dtype]
    given: Tensor
    faces: Tensor
    sound: Readback


class Generator:
    """Runs a backend over any number of crops, splits batches that do not fit into memory, guards results.

    redone: faces repeated in fp32 because half precision gave none.
    """

    def __init__(self, backend: Backend, batch_size: int | None = None) -> None:
        self.backend = backend
        self.batch_size = batch_size or backend.default_batch
        self.redone = 0

    def launch_no_sync(self, crops: Sequence[Tensor]) -> Launched:
        """Queues the network over (3,S,S) uint8 or uint16 crops without waiting for the device."""
        given = torch.stack([to_network(crop) for crop in crops])
        faces = torch.cat([self._run(part) for part in given.split(self.batch_size)])
        return Launched([crop.dtype for crop in crops], given, faces, Readback(is_sound(faces, given)))

    def settle(self, launched: Launched) -> list[Tensor | GenerateError]:
        """Waits, repeats broken faces in fp32, and gives each face in its crop's depth or why there is none."""
        sound = launched.sound.wait().tolist()
        return [
            from_network(face, dtype) if good else self._again(given, dtype)
            for face, given, dtype, good in zip(
                launched.faces, launched.given, launched.dtypes, sound, strict=True
            )
        ]

    def _again(self, given: Tensor, dtype: torch.dtype) -> Tensor | GenerateError:
        self.redone += 1
        face = self.backend.exact(given[None])[0]
        if not torch.isfinite(face).all():
            return GenerateError(
                "the network gave no finite face, in fp32 either: the weights do not fit. Try --weights with another."
            )
        return from_network(face, dtype)

    def _run(self, faces: Tensor) -> Tensor:
        try:
            return self.backend(faces)
        except torch.OutOfMemoryError as cause:
            if len(faces) == 1:
                raise GenerateError(
                    f"not enough device memory for one face of {faces.shape[-1]} px. "
                    "Try --fp16, a smaller --model, or --device cpu."
                ) from cause
        torch.cuda.empty_cache()
        self.batch_size = max(1, len(faces) // 2)
        return torch.cat([self._run(part) for part in faces.split(self.batch_size)])


def is_sound(faces: Tensor, given: Tensor) -> Tensor:
    """(B,) bool: all values finite, and not one colour where the input was none."""
    finite = torch.isfinite(faces).flatten(1).all(dim=1)
    return finite & ((_spread(faces) >= FLAT) | (_spread(given) < FLAT))


def _spread(faces: Tensor) -> Tensor:
    """(B,) the largest standard deviation over the pixels of a channel."""
    return faces.flatten(2).std(dim=2).amax(dim=1)
