"""Samples for the measure of need: damaged portraits with what each frequency band of the restoration is worth.

The result is the picture plus a weighted sum of the restoration's bands, so its squared error is a quadratic form in
the weights. Each sample keeps that form: the fit never sees a picture again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.bands import band_pass, halved
from gpen_fast.image.warp import Matrix, inverse, warp, warp_area, warp_lanczos
from gpen_fast.stages.need.figures import figures
from gpen_fast.stages.paste import feathered_mask, is_smoothed, smooth
from gpen_fast.training.degrade import Damage, DamageRanges, Face, degrade, draw_damage
from gpen_fast.types import Face as FoundFace
from gpen_fast.types import Frame

# Bands of the restoration, finest first, and the rest below them.
BANDS = 5
Network = Callable[[Tensor], Tensor]
"""(B,3,S,S) uint8 to the same: crops to restored faces."""

# Sizes of a face in the picture, as parts of the network's size, and how often each is drawn; a quarter of the faces
# has any size between the smallest and the largest.
_SIZES = (0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
_SHARES = (0.11, 0.12, 0.11, 0.13, 0.09, 0.2, 0.07, 0.11, 0.06)
_ANY_SIZE, _LEAST, _MOST = 0.25, 0.17, 4.5
# Turns of a face in its picture, degrees either way.
_TURN = 20.0
# A detector's box, as a part of the crop's side: it decides which faces are smoothed when they are pasted.
_BOX = (0.45, 0.7)


@dataclass(frozen=True)
class NeedSample:
    """One damaged face."""

    figures: NDArray[np.float32]
    """(COUNT,): what `stages.need.figures` measures."""

    before: float
    """Mean squared error of the damaged picture, on the scale of 8 bits."""

    gain: NDArray[np.float64]
    """(1+BANDS,): products of each band's change with the error that it should undo; the first is what the crop lacks
    beside the picture."""

    cost: NDArray[np.float64]
    """(1+BANDS,1+BANDS): products of the bands' changes with each other."""

    kind: str
    """How it was damaged."""


def error_after(sample: NeedSample, weights: NDArray[np.float64]) -> float:
    """The mean squared error with (1+BANDS,) weights of the restoration's bands."""
    return float(sample.before - 2 * weights @ sample.gain + weights @ sample.cost @ weights)


@dataclass(frozen=True, eq=False)
class DamagedFace:
    """A damaged picture of one face, and its undamaged form."""

    truth: Face
    """(H,H,3) uint8."""

    damaged: Face
    """(H,H,3) uint8."""

    turn: float
    """Degrees by which the face is turned."""

    smooth: bool
    """The restoration is smoothed before it is pasted, as that of a small face is."""

    kind: str
    """How it was damaged."""


def draw_sample(
    faces: NDArray[np.uint8], network: Network, rng: np.random.Generator, size: int
) -> NeedSample:
    """Draws a face, a size, a turn and a damage, and measures what its restoration is worth.

    Args:
        faces: (N,size,size,3) undamaged portraits.
        network: What restores crops.
        rng: The source of all randomness.
        size: The network's side, pixels.
    """
    face = draw_face(faces, rng)
    return measured(face, matrix_of(face.truth.shape[0], size, face.turn), network, size)


def draw_face(faces: NDArray[np.uint8], rng: np.random.Generator) -> DamagedFace:
    """Draws a face, a size, a turn and a damage.

    Args:
        faces: (N,S,S,3) undamaged portraits.
        rng: The source of all randomness.
    """
    size = float(rng.choice(_SIZES, p=_SHARES))
    if rng.random() < _ANY_SIZE:
        size = _any(rng, _LEAST, _MOST)
    truth = sized_face(faces, int(rng.integers(len(faces))), size, rng)
    if rng.random() < 0.15:
        truth = np.repeat(cv2.cvtColor(truth, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    kind, damage = _draw(rng)
    damaged = degrade(truth, damage, rng) if damage else truth
    turn = rng.uniform(-_TURN, _TURN) if rng.random() < 0.5 else 0.0
    box = truth.shape[0] * rng.uniform(*_BOX)
    return DamagedFace(truth, damaged, turn, is_smoothed(FoundFace((0.0, 0.0, box, box), 1.0)), kind)


def sized_face(faces: NDArray[np.uint8], which: int, ratio: float, rng: np.random.Generator) -> Face:
    """A portrait with `ratio` times its side.

    Beyond 1 a portrait has no detail of its own. It gets that of other portraits, tiled: the finest band has the
    statistics of a sharp photograph, though not its edges.
    """
    face = faces[which]
    side = face.shape[0]
    count = 1
    while count < ratio:
        twice = np.asarray(cv2.resize(face, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))
        count *= 2
        tiles = faces[rng.integers(len(faces), size=(count, count))]
        mosaic = tiles.transpose(0, 2, 1, 3, 4).reshape(twice.shape)
        grown = twice + rng.uniform(0.3, 1.0) * _finest(mosaic)
        face = np.clip(np.rint(grown), 0, 255).astype(np.uint8)
    target = round(side * ratio)
    if face.shape[0] == target:
        return face
    return np.asarray(cv2.resize(face, (target, target), interpolation=cv2.INTER_AREA), np.uint8)


def _finest(picture: Face) -> NDArray[np.float32]:
    """The picture without what half its resolution holds, (H,W,3)."""
    half = cv2.resize(picture.astype(np.float32), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(
        picture - cv2.resize(half, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32
    )


def matrix_of(side: int, size: int, turn: float) -> Matrix:
    """(2,3): a picture of `side` pixels fills a crop of `size`, turned by `turn` degrees about its middle."""
    scale = size / side
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), turn, scale)
    matrix[:, 2] += np.full(2, (size - side) / 2)
    return np.asarray(matrix, np.float64)


def measured(face: DamagedFace, matrix: Matrix, network: Network, size: int) -> NeedSample:
    """The sample of a damaged picture whose undamaged form is known.

    Args:
        face: The picture.
        matrix: (2,3), picture to crop coordinates.
        network: What restores crops.
        size: The network's side, pixels.
    """
    frame = Frame(torch.from_numpy(np.ascontiguousarray(face.damaged)).permute(2, 0, 1))
    crop = warp_area(frame.pixels, matrix, (size, size))[None]
    changes = band_changes(frame, matrix, crop, network(crop), face.smooth)
    wanted = torch.from_numpy(face.truth.astype(np.float32) - face.damaged).permute(2, 0, 1)
    flat, goal = changes.flatten(1).double(), wanted.flatten().double()
    return NeedSample(
        figures(frame, matrix[None], crop)[0].numpy(),
        float(goal.square().mean()),
        (flat @ goal / len(goal)).numpy(),
        (flat @ flat.T / len(goal)).numpy(),
        face.kind,
    )


def band_changes(frame: Frame, matrix: Matrix, crop: Tensor, restored: Tensor, smoothed: bool) -> Tensor:
    """What a weight of 1 changes in the picture, for its own detail and each band: (1+BANDS,3,H,W) float32."""
    size, shape = crop.shape[-1], (frame.height, frame.width)
    back = inverse(matrix)
    mask = warp(feathered_mask(size), back, shape, edge=False)
    pyramid = halved(restored.float() - crop.float(), BANDS - 1)
    bands = [*band_pass(pyramid), pyramid[-1]]
    full = [_full(band, size)[0] for band in bands]
    layers = [crop[0].float(), *full]
    if smoothed:
        layers = [smooth(layer) for layer in layers]
    pasted = torch.stack([warp_lanczos(layer.contiguous(), back, shape) for layer in layers])
    pasted[0] -= frame.pixels.float()
    return pasted * mask


def _full(band: Tensor, size: int) -> Tensor:
    """A band at the crop's size, upscaled level by level as `weighted_bands` does."""
    while band.shape[-1] < size:
        band = torch.nn.functional.interpolate(band, scale_factor=2, mode="bilinear", align_corners=False)
    return band


def _draw(rng: np.random.Generator) -> tuple[str, Damage | None]:
    """A damage's name and strength; None for an undamaged picture."""
    kind = str(rng.choice(
        ["clean", "jpeg", "noise", "blur", "small", "noise+jpeg", "blur+jpeg", "all", "mixed"],
        p=[0.08, 0.14, 0.14, 0.07, 0.16, 0.08, 0.05, 0.1, 0.18],
    ))  # fmt: skip
    if kind == "clean":
        return kind, None
    if kind == "all":
        return kind, draw_damage(rng, DamageRanges())
    if kind == "mixed":
        return kind, _mixed(rng)
    factor = _any(rng, 1.2, 7) if kind == "small" else 1.0
    blur = factor * rng.uniform(0, 0.5) if kind == "small" else 0.0
    if kind.startswith("blur"):
        blur = _any(rng, 0.5, 4)
    noise = _any(rng, 1.5, 25) if "noise" in kind else 0.0
    quality = int(rng.integers(30, 97)) if "jpeg" in kind else None
    return kind, Damage(factor, blur, noise, quality, grey_noise=bool(rng.random() < 0.3))


def _mixed(rng: np.random.Generator) -> Damage:
    """What a small or enlarged photograph has at once, each in moderation: blur, noise and compression."""
    factor = _any(rng, 1.0, 4.0) if rng.random() < 0.6 else 1.0
    quality = int(rng.integers(45, 93))
    return Damage(
        factor, factor * rng.uniform(0.2, 0.7), _any(rng, 2, 10), quality, grey_noise=bool(rng.random() < 0.3)
    )


def _any(rng: np.random.Generator, least: float, most: float) -> float:
    """A number between both, evenly on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))
