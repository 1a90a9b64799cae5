"""An endless stream of batches, made where the network is trained.

On a GPU, faces lie there as uint8 and every operation is batched. On a CPU, OpenCV varies and damages face by face
where it is installed, in half of the time that the batched form takes there; both have the same distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from gpen_fast.device.threads import seeded
from gpen_fast.training.augment import Variety, augment
from gpen_fast.training.degrade import Damage, DamageRanges, degrade
from gpen_fast.training.lite.damage import CleanInput, degrade_batch, draw_damages
from gpen_fast.training.lite.old import OldPhotograph, age, fade
from gpen_fast.training.lite.sets import FaceStore
from gpen_fast.training.lite.vary import vary_batch


def opencv_is_faster(device: torch.device) -> bool:
    """Whether batches are made by OpenCV: on a CPU, where it is installed."""
    return device.type == "cpu" and find_spec("cv2") is not None


@dataclass(frozen=True)
class DeviceBatches:
    """Batches of damaged and wanted faces. Batch n depends on the seed and on n alone, and on where it is made."""

    store: FaceStore
    """The faces, on the device."""

    batch: int
    """Faces in a batch."""

    seed: int
    """Decides every random choice."""

    ranges: DamageRanges = field(default_factory=DamageRanges)
    """How faces are damaged."""

    variety: Variety = field(default_factory=Variety)
    """How faces are varied."""

    clean: CleanInput = field(default_factory=CleanInput)
    """How often faces come in clean."""

    old: OldPhotograph = field(default_factory=OldPhotograph)
    """How often faces have the damage of old photographs."""

    batched: bool | None = None
    """Batched operations; None for whatever is faster on the device."""

    def at(self, step: int, rank: int = 0) -> tuple[Tensor, Tensor]:
        """Returns one batch.

        Args:
            step: The number of the step.
            rank: The number of the process; each has batches of its own.

        Returns:
            The damaged and the wanted faces, each (B,3,S,S) float32 in [-1,1] on the store's device.
        """
        faces, shares = self.store.faces, self.store.shares.double().cpu().numpy()
        rng = np.random.default_rng([self.seed, rank, step])
        generator = seeded(int(rng.integers(1 << 62)), faces.device)
        ones = rng.choice(len(faces), self.batch, p=shares / shares.sum())
        others = rng.choice(len(faces), self.batch)
        damages = draw_damages(rng, self.batch, self.ranges, self.clean)
        wanted = fade(self._varied(ones, others, rng), rng, self.old)
        aged = age(wanted, rng, self.old, generator)
        # A face that is to come in clean has no scratches either.
        untouched = [i for i, damage in enumerate(damages) if damage == Damage(1.0, 0.0, 0.0, None)]
        aged[untouched] = wanted[untouched]
        damaged = self._damaged(aged, damages, rng, generator)
        return damaged / 127.5 - 1, wanted / 127.5 - 1

    @property
    def _by_device(self) -> bool:
        return not opencv_is_faster(self.store.faces.device) if self.batched is None else self.batched

    def _varied(self, ones: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> Tensor:
        faces = self.store.faces
        chosen, beside = (faces[torch.from_numpy(each).to(faces.device)] for each in (ones, others))
        if self._by_device:
            return vary_batch(chosen, beside, rng, self.variety)
        pairs = zip(_to_pictures(chosen), _to_pictures(beside), strict=True)
        return _from_pictures([augment(one, other, rng, self.variety) for one, other in pairs])

    def _damaged(
        self, faces: Tensor, damages: Sequence[Damage], rng: np.random.Generator, generator: torch.Generator
    ) -> Tensor:
        if self._by_device:
            return degrade_batch(faces, damages, generator)
        pairs = zip(_to_pictures(faces.byte()), damages, strict=True)
        return _from_pictures([degrade(face, damage, rng) for face, damage in pairs])


def _to_pictures(faces: Tensor) -> list[np.ndarray]:
    """(B,3,S,S) uint8 to arrays (S,S,3)."""
    return list(np.ascontiguousarray(faces.permute(0, 2, 3, 1).numpy()))


def _from_pictures(pictures: list[np.ndarray]) -> Tensor:
    """Arrays (S,S,3) uint8 to (B,3,S,S) float32."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().contiguous()
