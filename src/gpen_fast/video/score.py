"""Scores of flicker and jitter, before and after.

Flicker: mean absolute difference of a face's pixels between one frame and the next, once its motion is taken out, in
grey levels. With a reference clip, that of the reference is subtracted. Jitter: what landmarks shake by, in units of
the distance of the eyes: the deviation of their error where the truth is known, else that of their high-frequency part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points
from gpen_fast.types import Frame
from gpen_fast.video.matching import eyes_of
from gpen_fast.video.motion import Patch8, cut_patch, face_ellipse, patch_window

# Keys of what a meter counts, whole numbers: sums in thousandths of a grey level and in millionths of a squared
# thousandth of the eye distance, and how many values they are sums of.
_SUMS = ("flicker_before", "flicker_after", "flicker_count", "jitter_before", "jitter_after", "jitter_count")
_FLICKER_UNIT, _JITTER_UNIT = 1e-3, 1e-9
# The variance of second differences of white noise is six times its own.
_SECOND_DIFFERENCE = 6.0


def face_flicker(before: Patch8, after: Patch8) -> float:
    """Mean absolute difference of two patches over the face's pixels, grey levels."""
    difference = np.abs(after.astype(np.int16) - before)
    return float(difference[face_ellipse()].mean())


def shake(landmarks: NDArray[np.float64]) -> float:
    """The deviation of the high-frequency part of (T,5,2) landmarks over T frames, pixels; 0 for fewer than three."""
    if len(landmarks) < 3:
        return 0.0
    return math.sqrt(float(np.square(np.diff(landmarks, n=2, axis=0)).mean()) / _SECOND_DIFFERENCE)


def landmark_jitter(landmarks: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Deviation of the error of (T,5,2) landmarks over T frames, in units of the eye distance."""
    eyes = np.array([eyes_of(each) for each in truth])[:, None, None]
    return float(((landmarks - truth) / eyes).std(axis=0).mean())


class FaceMeter:
    """Measures the faces of a film as they pass."""

    def __init__(self) -> None:
        self._patches: dict[int, tuple[Patch8, Patch8]] = {}
        self._places: dict[int, list[tuple[Points, Points]]] = {}

    def frame(
        self, before: Frame, after: Frame, faces: Mapping[int, tuple[Points, Points]]
    ) -> dict[str, int]:
        """Counts one frame.

        Args:
            before: As it was decoded.
            after: As it was restored.
            faces: Track -> (5,2) landmarks as they were measured, and smoothed.
        """
        counts = dict.fromkeys(_SUMS, 0)
        patches = {number: _pair(before, after, smoothed) for number, (_, smoothed) in faces.items()}
        for number in faces.keys() & self._patches.keys():
            was, made = self._patches[number], patches[number]
            for name, old, new in zip(_SUMS[:2], was, made, strict=True):
                counts[name] += round(face_flicker(old, new) / _FLICKER_UNIT)
            counts[_SUMS[2]] += 1
        self._patches = patches
        self._places = {number: [*self._places.get(number, [])[-2:], each] for number, each in faces.items()}
        for places in self._places.values():
            if len(places) == 3:
                for name, kind in zip(_SUMS[3:5], (0, 1), strict=True):
                    shaken = shake(np.stack([each[kind] for each in places])) / eyes_of(places[-1][1])
                    counts[name] += round(shaken**2 / _JITTER_UNIT)
                counts[_SUMS[5]] += 1
        return counts


def scores_of(counts: Mapping[str, int]) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Flicker in grey levels and jitter in eye distances, each before and after; None where nothing was measured."""
    flickers, jitters = counts.get(_SUMS[2], 0), counts.get(_SUMS[5], 0)
    flicker = [counts[name] * _FLICKER_UNIT / flickers for name in _SUMS[:2]] if flickers else None
    jitter = [math.sqrt(counts[name] * _JITTER_UNIT / jitters) for name in _SUMS[3:5]] if jitters else None
    return (
        (flicker[0], flicker[1]) if flicker else None,
        (jitter[0], jitter[1]) if jitter else None,
    )


def _pair(before: Frame, after: Frame, landmarks: Points) -> tuple[Patch8, Patch8]:
    window = patch_window(landmarks)
    return cut_patch(before, window), cut_patch(after, window)
