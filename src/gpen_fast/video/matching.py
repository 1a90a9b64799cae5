"""Which detected face belongs to which track: by place, and by look where two are near each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gpen_fast.image.similarity import Points
from gpen_fast.types import Face, Frame
from gpen_fast.video.motion import cut_patch, patch_window
from gpen_fast.video.one_track import Look, Track, landmarks_in, likeness, look_of

# In units of eye distance. Landmarks within the first are one face's; a track that looks the same may be found again
# within the second, and farther away by the third for each second that it was not seen.
SAME_PLACE, _NEAR, _NEAR_A_SECOND = 0.6, 1.5, 6.0
# How much a face must look like a track: one that is at another place, and any.
_SAME_LOOK, _OTHER_LOOK = 0.75, 0.35
# Natural logarithm of the most that a face's size may change.
_SIZE_CHANGE = 0.5


def matches(tracks: Sequence[Track], faces: Sequence[Face], frame: Frame, seconds: float) -> dict[int, int]:
    """Index of a track -> index of the face that is its own; the best pairs first.

    Args:
        tracks: As they are in the frame; those that are not visible as they were last seen.
        faces: Detected in the frame, with landmarks.
        frame: The frame.
        seconds: Its time.
    """
    looks = [look_of(cut_patch(frame, patch_window(landmarks_in(face)))) for face in faces]
    costs = [
        (cost, i, j)
        for i, track in enumerate(tracks)
        for j, face in enumerate(faces)
        if (cost := _cost(track, landmarks_in(face), looks[j], seconds)) is not None
    ]
    found: dict[int, int] = {}
    for _, i, j in sorted(costs):
        if i not in found and j not in found.values():
            found[i] = j
    return found


def apart(ours: Points, other: Points) -> float:
    """Mean distance of (5,2) landmarks in units of the larger face's eye distance."""
    return float(np.linalg.norm(ours - other, axis=1).mean()) / max(eyes_of(ours), eyes_of(other))


def eyes_of(landmarks: Points) -> float:
    """The face's size as the distance of its eyes, pixels; by its height where it is seen from the side."""
    across, down = landmarks[1] - landmarks[0], landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)
    return max(float(np.hypot(*across)), 0.9 * float(np.hypot(*down)), 1e-6)


def _cost(track: Track, landmarks: Points, look: Look, seconds: float) -> float | None:
    """How badly a face fits a track, the less the better; None where it is another's."""
    distance, alike = apart(track.landmarks, landmarks), likeness(track.look, look)
    if abs(math.log(eyes_of(landmarks) / eyes_of(track.landmarks))) > _SIZE_CHANGE or alike < _OTHER_LOOK:
        return None
    reach = SAME_PLACE if track.visible else 0.0
    if alike >= _SAME_LOOK:
        reach = _NEAR + (0.0 if track.visible else _NEAR_A_SECOND * (seconds - track.seen))
    return distance - alike if distance < reach else None
