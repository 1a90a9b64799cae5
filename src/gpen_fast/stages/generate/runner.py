"""The generate stage: crops of many pictures through the network in batches, each result checked."""

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

# The smallest standard deviation of a face's values, of which -1 to 1 is the whole range: four grey levels of 255. A
# face below it looks like one colour.
FLAT = 4 / 127.5
# Rows and columns of a face of which the deviation is taken. All of a face's pixels would take as long as a tenth of
# the network on a CPU, and tell no more: what is wanted is one colour or many.
_GRID = 64


@dataclass(frozen=True, eq=False)
class Launched:
    """Network calls that the device may still be working on."""

    crops: list[Tensor]
    """(3,S,S) each, as they were given."""

    faces: list[Tensor]
    """(3,S,S) each, in the crop's dtype, on the device; empty of meaning until the device has finished."""

    valid: list[AsyncHostCopy]
    """One for each network call: (B,) bool, whether each of its faces is valid."""


class Generator:
    """Runs a backend over any number of crops: splits batches that do not fit into memory, and checks the results.

    Args:
        backend: What runs the network.
        batch_size: The most faces per call; None: the backend's default.

    Attributes:
        batch_size: The most faces per call; halved where a batch did not fit into memory.
        recomputed_fp32: How many faces were recomputed in fp32 because their first result was invalid.
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
        """Why the network runs slower than it could; empty where it does not."""
        return list(self._graphed.notes) if self._graphed else []

    def launch_no_sync(self, crops: Sequence[Tensor]) -> Launched:
        """Queues the network over crops without waiting for the device.

        Args:
            crops: (3,S,S) uint8 or uint16 each, RGB.

        Raises:
            GenerateError: Not even one face fits into memory.
            DeviceError: The GPU failed.
        """
        launched = Launched(list(crops), [], [])
        with failures_named(self.backend.name):
            while len(launched.faces) < len(crops):
                done = len(launched.faces)
                self._run(crops[done : done + self.batch_size], launched)
        return launched

    def settle(self, launched: Launched) -> list[Tensor | GenerateError]:
        """Waits for queued calls, and recomputes invalid faces in fp32.

        Returns:
            For each crop its face, (3,S,S) in the crop's dtype; an error where fp32 gives no valid face either.

        Raises:
            DeviceError: The GPU failed.
        """
        with failures_named(self.backend.name):
            valid = torch.cat([copy.wait() for copy in launched.valid]).tolist()
            return [
                face if good else self._recompute(crop)
                for crop, face, good in zip(launched.crops, launched.faces, valid, strict=True)
            ]

    def _run(self, crops: Sequence[Tensor], launched: Launched) -> None:
        """One network call. One that does not fit into memory adds nothing: it frees some or halves the batch size."""
        try:
            given = _stacked(crops)
            faces = self.backend(given)
            valid = valid_faces(faces, given)
            kept = _in_depth_of(crops, faces)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        else:
            launched.valid.append(AsyncHostCopy(valid))
            launched.faces.extend(kept)
            return
        # Outside the handler: the exception held there still refers to the failed call's tensors.
        release_cached_memory()
        if self._relieved(len(crops)):
            return
        if len(crops) == 1:
            raise _too_large(crops[0])
        self.batch_size = min(self.batch_size, len(crops) // 2)

    def _relieved(self, batch: int) -> bool:
        """Whether the backend freed memory that it held for speed, so that another try may fit."""
        return self._graphed is not None and self._graphed.relieve(batch)

    def _recompute(self, crop: Tensor) -> Tensor | GenerateError:
        """The face of one crop in fp32, whose result is final; an error where it is invalid too."""
        try:
            given = to_network(crop)[None]
            faces = self.backend.exact(given)
            valid: bool | None = bool(valid_faces(faces, given))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            valid = None
        if valid is None:
            return self._recompute(crop) if self._relieved(1) else _too_large(crop)
        self.recomputed_fp32 += 1
        if valid:
            return from_network(faces[0], crop.dtype)
        return GenerateError(
            "the network returned one colour or values that are not finite, in fp32 too. Try other --weights."
        )


def _stacked(crops: Sequence[Tensor]) -> Tensor:
    """The network's input, (B,3,S,S). As many operations for many crops of one depth as for one."""
    if len({crop.dtype for crop in crops}) == 1:
        return to_network(torch.stack(list(crops)))
    return torch.stack([to_network(crop) for crop in crops])


def _in_depth_of(crops: Sequence[Tensor], faces: Tensor) -> list[Tensor]:
    """The network's output, (B,3,S,S), as (3,S,S) faces: each in the depth of its crop."""
    if len({crop.dtype for crop in crops}) == 1:
        return list(from_network(faces, crops[0].dtype).unbind())
    return [from_network(face, crop.dtype) for face, crop in zip(faces, crops, strict=True)]


def _too_large(crop: Tensor) -> GenerateError:
    return GenerateError(
        f"not enough device memory for one face of {crop.shape[-1]} px. "
        "Try --fp16, a smaller --model, or --device cpu."
    )


def valid_faces(faces: Tensor, given: Tensor) -> Tensor:
    """Checks what the network returned.

    Args:
        faces: (B,3,S,S), the network's output.
        given: (B,3,S,S), its input.

    Returns:
        (B,) bool: all values are finite, and the face is not of one colour unless its input is.
    """
    # One value that is not finite makes the sum so too.
    finite = torch.isfinite(faces.sum(dim=(1, 2, 3)))
    return finite & ((_spread(faces) >= FLAT) | (_spread(given) < FLAT))


def _spread(faces: Tensor) -> Tensor:
    """(B,3,S,S) to (B,): the largest standard deviation of a channel's pixels, taken on a grid of them."""
    step = max(1, faces.shape[-1] // _GRID)
    return faces[..., ::step, ::step].flatten(2).std(dim=2).amax(dim=1)
