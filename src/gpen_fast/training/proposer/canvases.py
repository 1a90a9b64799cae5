"""Made-up pictures for the proposer: portraits pasted onto backgrounds, and where their windows lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.similarity import Points
from gpen_fast.stages.detect.cascade.landmark_net import SIDE
from gpen_fast.stages.detect.cascade.proposer_net import (
    LEAST_WINDOW,
    MOST_WINDOW,
    OFFSET_UNIT,
    SIDE_UNIT,
    STRIDE,
    VALUES,
)
from gpen_fast.training.augment import occlude, relight
from gpen_fast.training.degrade import degrade, draw_damage
from gpen_fast.training.landmarks.samples import paste_masks, small_faces
from gpen_fast.training.landmarks.scenes import face_free_scenes
from gpen_fast.training.landmarks.windows import Matrix, Picture, fitting_window, mirror_face
from gpen_fast.training.proposer.config import ProposerConfig

# Portraits are kept at this many halving sizes: a face is never shrunk by more than 2 in one warp, which would alias.
_LEVELS = 3
# Sides of an enlarged portrait's window on its canvas, as multiples of the canvas: no face of it is learnt.
_ENLARGED = (0.9, 2.5)
# Two faces of one picture are at least this part of the larger window's side apart.
_APART = 0.7
# Attempts to place a face apart from the others.
_ATTEMPTS = 5
# Pixels: in smaller portraits an object could have no size.
_LEAST_OCCLUDED = 32
_NONE, _FACE, _EITHER = 0.0, 1.0, -1.0
_WINDOW_MIDDLE = (SIDE - 1) / 2
# The target's maps: the label, then the network's values without the logit.
_LABEL = 0
T = TypeVar("T", NDArray[np.uint8], NDArray[np.float32])


@dataclass(frozen=True)
class CanvasBatch:
    """The pictures of one step."""

    pictures: Tensor
    """(B,1,S,S) float32 luma, 0..255."""

    label: Tensor
    """(B,S/8,S/8) float32: 1 where a place proposes a face, 0 where it does not, -1 where it may."""

    wanted: Tensor
    """(B,4,S/8,S/8) float32: the window of the face that a place proposes, in the network's units."""


@dataclass(frozen=True)
class CanvasSources:
    """What pictures are made of."""

    faces: list[NDArray[np.uint8]]
    """(N,S,S,3) RGB each: portraits of half size, a quarter, and an eighth."""

    landmarks: Points
    """(N,5,2): their landmarks in pixels of the largest."""

    scenes: list[Picture]
    """(H,W,3) RGB each: pictures without faces."""


@dataclass(frozen=True)
class PlacedFace:
    """A face on a canvas."""

    middle: tuple[float, float]
    """The centre of its window, pixels."""

    side: float
    """The side of its window, pixels."""

    turn: float
    """Radians, clockwise on the screen."""


def read_canvas_sources(folder: Path, split: str, crop: int) -> CanvasSources:
    """Reads the portraits of one split of a folder, and makes the scenes.

    Raises:
        InputsError: The portraits cannot be read.
    """
    faces, landmarks = small_faces(folder, split, crop)
    sizes = [faces]
    for _ in range(_LEVELS - 1):
        side = max(1, sizes[-1].shape[1] // 2)
        shrunk = [cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA) for face in sizes[-1]]
        sizes.append(np.stack(shrunk).astype(np.uint8))
    return CanvasSources(sizes, landmarks, face_free_scenes())


@dataclass(frozen=True)
class CanvasSamples:
    """An endless stream of batches. Batch n depends on the seed and on n alone, so a run can be resumed."""

    sources: CanvasSources
    """What pictures are made of."""

    config: ProposerConfig
    """The run's config."""

    batch: int
    """Pictures in a batch."""

    def at(self, step: int, rank: int = 0) -> CanvasBatch:
        """Returns one batch.

        Args:
            step: The number of the step.
            rank: The number of the process; each has batches of its own.
        """
        rng = np.random.default_rng([self.config.seed, rank, step])
        made = [self.one(rng) for _ in range(self.batch)]
        pictures = np.stack([picture for picture, _ in made])
        target = torch.from_numpy(np.stack([proposal_target(self.config, placed) for _, placed in made]))
        return CanvasBatch(
            torch.from_numpy(pictures)[:, None].float(), target[:, _LABEL], target[:, _LABEL + 1 :]
        )

    def one(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], list[PlacedFace]]:
        """A (S,S) luma picture and its faces."""
        config = self.config
        picture = self._background(rng)
        placed: list[PlacedFace] = []
        for _ in range(rng.integers(config.canvas.most + 1)):
            face = self._place(placed, rng)
            if face is not None:
                picture = self._pasted(picture, face, rng)
                placed.append(face)
        picture = degrade(relight(picture, rng, config.variety), draw_damage(rng, config.damage), rng)
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8), placed

    def _background(self, rng: np.random.Generator) -> Picture:
        """A part of a scene in any direction, or of a much enlarged portrait."""
        canvas = self.config.canvas
        if rng.random() < canvas.portrait:
            shown, landmarks = self._portrait(rng, 0)
            x, y = rng.uniform(0, canvas.side, 2).tolist()
            large = PlacedFace((x, y), canvas.side * rng.uniform(*_ENLARGED), rng.uniform(-0.5, 0.5))
            return _warped(shown, _placing(landmarks, large), canvas.side)
        scene = self.sources.scenes[rng.integers(len(self.sources.scenes))]
        height, width = scene.shape[:2]
        side = math.exp(rng.uniform(math.log(canvas.side / 3), math.log(min(height, width))))
        middle = rng.uniform(side / 2, width - side / 2 + 1), rng.uniform(side / 2, height - side / 2 + 1)
        turn = float(rng.choice((0, 90, 180, 270))) + rng.uniform(-20, 20)
        matrix = np.asarray(cv2.getRotationMatrix2D(middle, turn, canvas.side / side), dtype=np.float64)
        matrix[:, 2] += (canvas.side - 1) / 2 - np.asarray(middle)
        return _warped(scene, matrix, canvas.side)

    def _place(self, others: list[PlacedFace], rng: np.random.Generator) -> PlacedFace | None:
        """A face apart from the others; None where the canvas has no room."""
        canvas = self.config.canvas
        for _ in range(_ATTEMPTS):
            side = math.exp(rng.uniform(*np.log(canvas.sides)))
            middle = rng.uniform(0, canvas.side, 2)
            apart = (math.dist(middle, other.middle) > _APART * max(side, other.side) for other in others)
            if all(apart):
                return PlacedFace((float(middle[0]), float(middle[1])), side, self._turn(rng))
        return None

    def _turn(self, rng: np.random.Generator) -> float:
        canvas, which = self.config.canvas, rng.random()
        if which < canvas.astray:
            return math.radians(rng.uniform(90, 270))
        most = 15.0 if which < canvas.astray + canvas.upright else canvas.rotation
        return math.radians(rng.uniform(-most, most))

    def _pasted(self, picture: Picture, face: PlacedFace, rng: np.random.Generator) -> Picture:
        """The picture with a random portrait where `face` says; its window lies there, its edges are of many kinds."""
        # The smallest level that still has at least the resolution of the canvas.
        most = self.sources.faces[0].shape[1]
        shown, landmarks = self._portrait(
            rng, min(_LEVELS - 1, max(0, math.floor(math.log2(most / face.side))))
        )
        side, squeeze = self.config.canvas.side, rng.uniform(0, self.config.canvas.squeeze)
        matrix = _placing(landmarks, face, squeeze)
        kinds = paste_masks(shown.shape[0])
        mask = _warped(kinds[rng.integers(len(kinds))], matrix, side, cv2.BORDER_CONSTANT)[:, :, None]
        pasted = _warped(shown, matrix, side).astype(np.float32)
        return np.rint(picture + (pasted - picture) * mask).astype(np.uint8)

    def _portrait(self, rng: np.random.Generator, level: int) -> tuple[Picture, Points]:
        """A random portrait at a level, mirrored or with something in front of it at random; and its landmarks."""
        faces, variety = self.sources.faces[level], self.config.variety
        which = rng.integers(len(faces))
        shown, landmarks = faces[which], (self.sources.landmarks[which] + 0.5) / 2**level - 0.5
        if rng.random() < variety.occlusion and shown.shape[0] >= _LEAST_OCCLUDED:
            shown = occlude(shown, faces[rng.integers(len(faces))], rng)
        return mirror_face(shown, landmarks) if rng.random() < variety.mirror else (shown, landmarks)


def proposal_target(config: ProposerConfig, placed: list[PlacedFace]) -> NDArray[np.float32]:
    """What the network should give for a picture.

    Args:
        config: The run's config.
        placed: The picture's faces.

    Returns:
        (5,S/8,S/8): the label, 1, 0, or -1 for either; then the values of the window that is proposed.
    """
    across = config.canvas.side // STRIDE
    target = np.zeros((VALUES, across, across), np.float32)
    grid = np.arange(across) * float(STRIDE)
    for face in placed:
        right, down = face.middle[0] - grid[None, :], face.middle[1] - grid[:, None]
        apart = np.hypot(right, down)
        label = _label(config, face)
        # The nearest place proposes a face of any size; a face's border counts neither way.
        near = apart <= max(config.canvas.reach * face.side, float(apart.min()))
        target[_LABEL][(apart < 0.5 * face.side) & (target[_LABEL] == _NONE) & (label != _NONE)] = _EITHER
        target[_LABEL][near & (target[_LABEL] != _FACE)] = label
        if label == _FACE:
            values = np.broadcast_arrays(
                right / OFFSET_UNIT,
                down / OFFSET_UNIT,
                face.side * math.cos(face.turn) / SIDE_UNIT,
                face.side * math.sin(face.turn) / SIDE_UNIT,
            )
            target[1:, near] = np.stack(values)[:, near]
    return target


def _label(config: ProposerConfig, face: PlacedFace) -> float:
    """Whether the network should propose a face of this size and turn, should not, or may."""
    canvas = config.canvas
    if math.cos(face.turn) < math.cos(math.radians(canvas.rotation)) - 1e-6:
        return _NONE
    if LEAST_WINDOW <= face.side <= MOST_WINDOW:
        return _FACE
    if LEAST_WINDOW / canvas.slack <= face.side <= MOST_WINDOW * canvas.slack:
        return _EITHER
    return _NONE


def _placing(landmarks: Points, face: PlacedFace, squeeze: float = 0.0) -> Matrix:
    """(2,3): from a portrait with these (5,2) landmarks to the canvas, where its window lies as `face` says."""
    window = fitting_window(landmarks)
    scale = face.side / SIDE
    c, s = scale * math.cos(face.turn), scale * math.sin(face.turn)
    turn = np.array([[c, -s], [s, c]]) * (1 - squeeze, 1.0)
    shift = turn @ (window[:, 2:] - _WINDOW_MIDDLE) + np.array(face.middle)[:, None]
    return np.concatenate([turn @ window[:, :2], shift], axis=1)


def _warped(picture: T, matrix: Matrix, side: int, edge: int = cv2.BORDER_REFLECT_101) -> T:
    shown = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=edge)
    return cast("T", shown)
