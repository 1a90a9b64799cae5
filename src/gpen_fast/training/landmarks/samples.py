"""Training windows: faces under random similarity, light, occlusion, damage and background, and non-faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.similarity import Points
from gpen_fast.stages.detect.cascade.landmark_net import SIDE
from gpen_fast.training.augment import occlude, relight
from gpen_fast.training.data import TRAIN, read_faces, read_manifest
from gpen_fast.training.degrade import degrade, draw_damage
from gpen_fast.training.landmarks.config import LandmarkConfig
from gpen_fast.training.landmarks.mining import MinedWindow, mine_windows
from gpen_fast.training.landmarks.scenes import face_free_scenes
from gpen_fast.training.landmarks.windows import (
    Matrix,
    Picture,
    distance_from_template,
    fitting_window,
    jittered_window,
    mirror_face,
    misplaced_window,
    points_in_window,
    random_window,
)

# Windows are cut from portraits of half size: a face fills 64 pixels of a window, so little detail is lost.
_HALVED = 2
# Pixels of the picture that the side of a window without a face covers, at least.
_LEAST = 24.0
# Attempts to find a window beside a face before a misplaced one is taken.
_ATTEMPTS = 20
_EDGES = (cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)
_Mask = NDArray[np.float32]
T = TypeVar("T", NDArray[np.uint8], NDArray[np.float32])


@dataclass(frozen=True)
class WindowBatch:
    """The windows of one step."""

    windows: Tensor
    """(B,1,64,64) float32 luma, 0..255."""

    points: Tensor
    """(B,5,2) float32: landmarks, 0..1 along the window's sides; zeros where there is no face."""

    face: Tensor
    """(B) float32: 1 for a face, else 0."""


@dataclass(frozen=True)
class WindowSources:
    """What windows are cut from."""

    faces: NDArray[np.uint8]
    """(N,S,S,3) RGB: portraits of half size."""

    landmarks: Points
    """(N,5,2): their landmarks in pixels."""

    scenes: list[Picture]
    """(H,W,3) RGB each: pictures without faces."""

    mined: list[MinedWindow]
    """Windows that a cascade wrongly took for a face."""


def read_sources(folder: Path, config: LandmarkConfig) -> WindowSources:
    """Reads the training portraits of a folder and makes the scenes; mines windows if the config uses them.

    Raises:
        InputsError: The portraits cannot be read.
    """
    faces, landmarks = small_faces(folder, TRAIN, config.crop)
    scenes = face_free_scenes()
    mined = mine_windows(faces, landmarks, scenes) if config.windows.mined else []
    return WindowSources(faces, landmarks, scenes, mined)


def small_faces(folder: Path, split: str, crop: int) -> tuple[NDArray[np.uint8], Points]:
    """Reads the portraits of one split at half size.

    Args:
        folder: The training folder.
        split: `TRAIN` or `HELD_OUT`.
        crop: Side of the portraits in pixels, before they are halved.

    Returns:
        (N,S,S,3) RGB uint8 faces and their (N,5,2) landmarks in pixels.

    Raises:
        InputsError: The portraits cannot be read.
    """
    portraits = read_manifest(folder, split)
    side = crop // _HALVED
    small = [
        cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        for face in read_faces(folder, portraits, crop)
    ]
    points = np.stack([portrait.landmarks for portrait in portraits]).astype(np.float64)
    # At either size (0,0) is the centre of the first pixel, which lies half a pixel from the picture's corner.
    return np.stack(small), (points + 0.5) / _HALVED - 0.5


@dataclass(frozen=True)
class WindowSamples:
    """An endless stream of batches. Batch n depends on the seed and on n alone, so a run can be resumed."""

    sources: WindowSources
    """What windows are cut from."""

    config: LandmarkConfig
    """The run's config."""

    batch: int
    """Windows in a batch."""

    def at(self, step: int, rank: int = 0) -> WindowBatch:
        """Returns one batch.

        Args:
            step: The number of the step.
            rank: The number of the process; each has batches of its own.
        """
        rng = np.random.default_rng([self.config.seed, rank, step])
        made = [self._one(rng) for _ in range(self.batch)]
        windows, points, face = (np.stack(part) for part in zip(*made, strict=True))
        return WindowBatch(
            torch.from_numpy(windows)[:, None].float(),
            torch.from_numpy(points).float(),
            torch.from_numpy(face),
        )

    def _one(self, rng: np.random.Generator) -> tuple[Picture, Points, np.float32]:
        """A (64,64) luma window, its (5,2) landmarks, and 1 for a face, else 0."""
        windows = self.config.windows
        if (which := rng.random()) < windows.none:
            window, points, face = self._without_face(rng), np.zeros((5, 2)), 0.0
        else:
            window, points = self._with_face(rng, narrow=which < windows.none + windows.narrow)
            face = 1.0
        grey = cv2.cvtColor(self._varied(window, rng), cv2.COLOR_RGB2GRAY)
        return np.asarray(grey, np.uint8), points, np.float32(face)

    def _with_face(self, rng: np.random.Generator, *, narrow: bool) -> tuple[Picture, Points]:
        face, landmarks = self._portrait(rng)
        jitter = self.config.windows.jitter(narrow=narrow)
        window = jittered_window(fitting_window(landmarks), rng, jitter)
        return self._pasted(face, window, rng), points_in_window(window, landmarks)

    def _portrait(self, rng: np.random.Generator) -> tuple[Picture, Points]:
        which = rng.integers(len(self.sources.faces))
        face, landmarks = self.sources.faces[which], self.sources.landmarks[which]
        mirrored = rng.random() < self.config.variety.mirror
        return mirror_face(face, landmarks) if mirrored else (face, landmarks)

    def _pasted(self, face: Picture, window: Matrix, rng: np.random.Generator) -> Picture:
        """A window on a portrait, whose face is pasted onto another background with the config's probability."""
        shown = cut(face, window, int(rng.choice(_EDGES)))
        if rng.random() >= self.config.windows.pasted:
            return shown
        masks = paste_masks(face.shape[0])
        mask = cut(masks[rng.integers(len(masks))], window, cv2.BORDER_CONSTANT)[:, :, None]
        behind = self._elsewhere(rng)
        return np.rint(behind + (shown.astype(np.float32) - behind) * mask).astype(np.uint8)

    def _without_face(self, rng: np.random.Generator) -> Picture:
        """A window that shows no face, or one far from its place."""
        windows, which = self.config.windows, rng.random()
        if which < windows.misplaced:
            face, landmarks = self._portrait(rng)
            return self._pasted(face, misplaced_window(landmarks, rng, windows), rng)
        if which < windows.misplaced + windows.mined and self.sources.mined:
            mined = self.sources.mined[rng.integers(len(self.sources.mined))]
            jitter = windows.jitter(narrow=bool(rng.random() < 0.5))
            window = jittered_window(mined.window, rng, jitter)
            # The jitter may have moved the window onto the portrait's own face.
            if mined.landmarks is None or distance_from_template(window, mined.landmarks) > windows.apart:
                shown = cut(mined.picture, window)
                return shown[:, ::-1] if rng.random() < 0.5 else shown
        return self._elsewhere(rng)

    def _elsewhere(self, rng: np.random.Generator) -> Picture:
        """A window anywhere in a picture without faces, or beside the face of a portrait."""
        if rng.random() < 0.5:
            scene = self.sources.scenes[rng.integers(len(self.sources.scenes))]
            return cut(scene, random_window(scene, rng, _LEAST))
        face, landmarks = self._portrait(rng)
        for _ in range(_ATTEMPTS):
            window = random_window(face, rng, _LEAST)
            points = points_in_window(window, landmarks)
            if not ((points > -0.1) & (points < 1.1)).all(axis=1).any():
                return cut(face, window)
        return cut(face, misplaced_window(landmarks, rng, self.config.windows))

    def _varied(self, window: Picture, rng: np.random.Generator) -> Picture:
        if rng.random() < self.config.variety.occlusion:
            window = occlude(window, self._elsewhere(rng), rng)
        window = relight(window, rng, self.config.variety)
        return degrade(window, draw_damage(rng, self.config.damage), rng)


def cut(picture: T, window: Matrix, edge: int = cv2.BORDER_REFLECT_101) -> T:
    """Cuts a window out of a picture.

    Args:
        picture: (H,W) or (H,W,C), uint8 or float32.
        window: (2,3): from the picture to the window.
        edge: OpenCV's border mode beyond the picture.

    Returns:
        (64,64) or (64,64,C) of the picture's type.
    """
    shown = cv2.warpAffine(picture, window, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=edge)
    return cast("T", shown)


@cache
def paste_masks(side: int) -> list[_Mask]:
    """(S,S) each, 1 where the face stays: the whole crop with a hard and a soft edge, and the head with a soft edge."""
    whole, inner, head, chin = np.zeros((4, side, side), np.float32)
    whole[1:-1, 1:-1] = 1
    border = round(side * 12 / 128)
    inner[border:-border, border:-border] = 1
    # The ellipses are given in pixels of a 128-pixel crop: the centre from the top, half the width, half the height.
    for mask, (down, wide, high) in ((head, (68, 40, 56)), (chin, (72, 36, 46))):
        middle, half = (
            (side // 2, round(side * down / 128)),
            (round(side * wide / 128), round(side * high / 128)),
        )
        cv2.ellipse(mask, middle, half, 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(inner, (0, 0), side * 5 / 128)
    soft_head = cv2.GaussianBlur(head, (0, 0), side * 2 / 128)
    return [np.asarray(mask, dtype=np.float32) for mask in (whole, soft, soft_head, chin)]
