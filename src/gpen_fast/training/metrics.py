"""The held-out test: faces damaged in one fixed way, restored by a network, and compared with the originals.

PSNR is in dB over RGB of range 255; SSIM is scikit-image's with the published Gaussian window; gradients are forward
differences of luma. Every number is the mean over the faces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.colour import from_network
from gpen_fast.training.data import faces_to_network
from gpen_fast.training.degrade import Face, degrade, held_out_damage

FACTORS = (1.5, 3.0, 4.0, 6.0)
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
Restore = Callable[[Tensor], Tensor]
"""A network: (B,3,S,S) RGB in [-1,1] to the same shape."""


@dataclass(frozen=True)
class Quality:
    """How near faces are to the originals."""

    psnr: float
    """Peak signal-to-noise ratio in dB."""

    ssim: float
    """Structural similarity, 1 for equal faces."""

    energy: float
    """Gradient energy, as a part of the original's."""

    correlation: float
    """Correlation of the gradients with the original's."""


@dataclass(frozen=True)
class RestorationRow:
    """One line of the test's table."""

    factor: float
    """Downscale factor of the damage."""

    damaged: Quality
    """The damaged faces against the originals."""

    restored: Quality
    """The restored faces against the originals."""


def held_out_table(
    network: Restore, faces: NDArray[np.uint8], *, seed: int = 0, batch: int = 11
) -> list[RestorationRow]:
    """Tests a network at every factor.

    Args:
        network: The network.
        faces: (N,S,S,3) RGB uint8 originals.
        seed: Decides the noise of the damage.
        batch: Faces per call of the network; it changes the memory needed and nothing else.
    """
    rows = []
    for factor in FACTORS:
        damaged = damaged_faces(faces, factor, seed)
        ours = restored_faces(network, damaged, batch)
        rows.append(RestorationRow(factor, quality(damaged, faces), quality(ours, faces)))
    return rows


def damaged_faces(faces: NDArray[np.uint8], factor: float, seed: int) -> NDArray[np.uint8]:
    """Returns the test's inputs.

    Args:
        faces: (N,S,S,3) RGB uint8 originals.
        factor: Downscale factor.
        seed: The noise of a face depends on the seed, the face's place and the factor alone.
    """
    keys = [(seed, place, round(factor * 10)) for place in range(len(faces))]
    return np.stack(
        [
            degrade(face, held_out_damage(factor), np.random.default_rng(key))
            for face, key in zip(faces, keys, strict=True)
        ]
    )


def restored_faces(network: Restore, faces: NDArray[np.uint8], batch: int) -> NDArray[np.uint8]:
    """Runs a network on (N,S,S,3) uint8 faces, `batch` at a time; returns the same shape and type."""
    out = np.empty_like(faces)
    with torch.no_grad():
        for start in range(0, len(faces), batch):
            some = network(faces_to_network(faces[start : start + batch])).float().cpu()
            out[start : start + batch] = from_network(some, torch.uint8).permute(0, 2, 3, 1).numpy()
    return out


def quality(pictures: NDArray[np.uint8], originals: NDArray[np.uint8]) -> Quality:
    """Returns the mean quality of (N,S,S,3) uint8 faces against their originals."""
    each = [_of_one(ours, wanted) for ours, wanted in zip(pictures, originals, strict=True)]
    return Quality(*(float(value) for value in np.mean(each, axis=0)))


def _of_one(ours: Face, wanted: Face) -> tuple[float, float, float, float]:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    mine, theirs = _gradients(ours), _gradients(wanted)
    return (
        float(peak_signal_noise_ratio(wanted, ours)),
        float(structural_similarity(
            wanted, ours, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )),
        float((mine**2).sum() / (theirs**2).sum()),
        float(np.corrcoef(mine, theirs)[0, 1]),
    )  # fmt: skip


def _gradients(face: Face) -> NDArray[np.float32]:
    luma = face.astype(np.float32) @ _LUMA
    return np.concatenate([np.diff(luma, axis=0).ravel(), np.diff(luma, axis=1).ravel()])
