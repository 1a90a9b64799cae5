"""Windows to learn from: faces under random similarity, light, occlusion, damage and backgrounds, and non-faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.image.similarity import Points
from gpen_fast.stages.detect.cascade.landmark_net import SIDE
from gpen_fast.training.augment import occluded, relit
from gpen_fast.training.data import TRAIN, read_faces, read_manifest
from gpen_fast.training.degrade import degrade, drawn
from gpen_fast.training.landmarks.config import Config
from gpen_fast.training.landmarks.mining import Mined, mine
from gpen_fast.training.landmarks.scenes import face_free
from gpen_fast.training.landmarks.windows import (
    Matrix,
    Picture,
    anywhere,
    around,
    jittered,
    mirrored,
    misplaced,
    off,
    seen_at,
)

# Windows are cut from halved crops: little is lost by 64 pixels of a face.
_HALVED = 2
_LEAST = 24.0
_EDGES = (cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)


@dataclass(frozen=True)
class Batch:
    """windows: (B,1,64,64) float32 luma, 0..255. points: (B,5,2), 0..1. face: (B,) 1 or 0; 0 has no points."""

    windows: Tensor
    points: Tensor
    face: Tensor


@dataclass(frozen=True)
class Stock:
    """What windows are cut from.

    faces: (N,S,S,3) of half size. landmarks: (N,5,2) in their pixels. scenes: pictures without faces, (H,W,3).
    mined: windows in which the cascades saw a face that is none.
    """

    faces: NDArray[np.uint8]
    landmarks: Points
    scenes: list[Picture]
    mined: list[Mined]


def stock(folder: Path, config: Config) -> Stock:
    """Of the folder's portraits to train on. Raises InputsError."""
    faces, landmarks = small_faces(folder, TRAIN, config.crop)
    scenes = face_free()
    return Stock(faces, landmarks, scenes, mine(faces, landmarks, scenes) if config.windows.mined else [])


def small_faces(folder: Path, split: str, crop: int) -> tuple[NDArray[np.uint8], Points]:
    """(N,S,S,3) RGB uint8 faces of one split, at half of `crop` pixels, and their (N,5,2) landmarks."""
    portraits = read_manifest(folder, split)
    side = crop // _HALVED
    small = [
        cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        for face in read_faces(folder, portraits, crop)
    ]
    points = np.stack([portrait.landmarks for portrait in portraits]).astype(np.float64)
    # The first pixel's centre is (0,0) at either size.
    return np.stack(small), (points + 0.5) / _HALVED - 0.5


@dataclass(frozen=True)
class Samples:
    """An endless stream of batches; the n-th depends on (seed, n) alone, so that a run can be resumed."""

    stock: Stock
    config: Config
    batch: int

    def at(self, step: int, rank: int = 0) -> Batch:
        """Batch `step` of worker `rank`."""
        rng = np.random.default_rng([self.config.seed, rank, step])
        made = [self._one(rng) for _ in range(self.batch)]
        windows, points, face = (np.stack(part) for part in zip(*made, strict=True))
        return Batch(
            torch.from_numpy(windows)[:, None].float(),
            torch.from_numpy(points).float(),
            torch.from_numpy(face),
        )

    def _one(self, rng: np.random.Generator) -> tuple[Picture, Points, NDArray[np.float32]]:
        windows = self.config.windows
        if (which := rng.random()) < windows.none:
            window, points, face = self._none(rng), np.zeros((5, 2)), 0.0
        else:
            window, points = self._face(rng, narrow=which < windows.none + windows.narrow)
            face = 1.0
        grey = cv2.cvtColor(self._varied(window, rng), cv2.COLOR_RGB2GRAY)
        return np.asarray(grey), points, np.float32(face)  # type: ignore[return-value]

    def _face(self, rng: np.random.Generator, *, narrow: bool) -> tuple[Picture, Points]:
        face, landmarks = self._drawn(rng)
        window = jittered(around(landmarks), rng, self.config.windows.jitter(narrow=narrow))
        return self._seen(face, window, rng), seen_at(window, landmarks)

    def _drawn(self, rng: np.random.Generator) -> tuple[Picture, Points]:
        which = rng.integers(len(self.stock.faces))
        face, landmarks = self.stock.faces[which], self.stock.landmarks[which]
        return mirrored(face, landmarks) if rng.random() < self.config.variety.mirror else (face, landmarks)

    def _seen(self, face: Picture, window: Matrix, rng: np.random.Generator) -> Picture:
        """What `window` shows of a face and of what is around it."""
        shown = cut(face, window, int(rng.choice(_EDGES)))
        if rng.random() >= self.config.windows.pasted:
            return shown
        masks = _masks(face.shape[0])
        mask = cut(masks[rng.integers(len(masks))], window, cv2.BORDER_CONSTANT)[:, :, None]
        behind = self._elsewhere(rng)
        return np.rint(behind + (shown.astype(np.float32) - behind) * mask).astype(np.uint8)

    def _none(self, rng: np.random.Generator) -> Picture:
        """A window that shows no face, or one far from its place."""
        windows, which = self.config.windows, rng.random()
        if which < windows.misplaced:
            face, landmarks = self._drawn(rng)
            return self._seen(face, misplaced(landmarks, rng, windows), rng)
        if which < windows.misplaced + windows.mined and self.stock.mined:
            found = self.stock.mined[rng.integers(len(self.stock.mined))]
            window = jittered(found.window, rng, windows.jitter(narrow=bool(rng.random() < 0.5)))
            if found.landmarks is None or off(window, found.landmarks) > windows.apart:
                shown = cut(found.picture, window)
                return shown[:, ::-1] if rng.random() < 0.5 else shown
        return self._elsewhere(rng)

    def _elsewhere(self, rng: np.random.Generator) -> Picture:
        """A window anywhere in a picture without faces, or in what surrounds a face."""
        if rng.random() < 0.5:
            scene = self.stock.scenes[rng.integers(len(self.stock.scenes))]
            return cut(scene, anywhere(scene, rng, _LEAST))
        face, landmarks = self._drawn(rng)
        for _ in range(20):
            window = anywhere(face, rng, _LEAST)
            there = seen_at(window, landmarks)
            if not ((there > -0.1) & (there < 1.1)).all(axis=1).any():
                return cut(face, window)
        return cut(face, misplaced(landmarks, rng, self.config.windows))

    def _varied(self, window: Picture, rng: np.random.Generator) -> Picture:
        if rng.random() < self.config.variety.occlusion:
            window = occluded(window, self._elsewhere(rng), rng)
        window = relit(window, rng, self.config.variety)
        return degrade(window, drawn(rng, self.config.damage), rng)


def cut(picture: Any, window: Matrix, edge: int = cv2.BORDER_REFLECT_101) -> Any:
    """(64,64,...): what a window shows of a picture."""
    return cv2.warpAffine(picture, window, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=edge)


@cache
def _masks(side: int) -> list[NDArray[np.float32]]:
    """(S,S) each, 1 where the face stays: the whole crop with a hard and a soft edge, and the head alone."""
    whole, inner, head, chin = np.zeros((4, side, side), np.float32)
    whole[1:-1, 1:-1] = 1
    border = round(side * 12 / 128)
    inner[border:-border, border:-border] = 1
    for mask, (down, wide, high) in ((head, (68, 40, 56)), (chin, (72, 36, 46))):
        middle, half = (
            (side // 2, round(side * down / 128)),
            (round(side * wide / 128), round(side * high / 128)),
        )
        cv2.ellipse(mask, middle, half, 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(inner, (0, 0), side * 5 / 128)
    round_off = cv2.GaussianBlur(head, (0, 0), side * 2 / 128)
    return [np.asarray(mask, dtype=np.float32) for mask in (whole, soft, round_off, chin)]
