"""One face along its frames: where it is, how it looks, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points, inverses, moved
from gpen_fast.types import Face, Frame
from gpen_fast.video.motion import (
    PATCH_EYES,
    PATCH_SIDE,
    Motion,
    Patch8,
    cut_patch,
    face_ellipse,
    motion_between,
    patch_window,
)
from gpen_fast.video.smooth import EuroFilter, EuroState

Look = NDArray[np.float32]

# Of landmarks in units of eye distance: measured on clips of known motion, benchmarks/temporal.py.
LANDMARK_FILTER = EuroFilter(least_hz=0.2, hz_per_speed=2.0, most_off=0.03)
# A face that fewer of its points follow gets a new anchor.
_ANCHORED = 0.6
# Side of the small picture by which faces are told apart, and how slowly a track's own follows what it sees.
_LOOK_SIDE, _LOOK_GAIN = 16, 0.2
# How much a patch must look like its track for the track to learn from it.
_OWN_LOOK = 0.85
# The most measurements that the difference between the detector's landmarks and the network's is averaged over.
_MOST_OFFSETS = 10
# Deviation of one such difference, in eye distances, where both mean the same: 0.003 to 0.006 on clips of known motion.
_OFFSET_NOISE = 0.005


@dataclass(frozen=True, eq=False)
class Track:
    """One face, as it was when it was last seen.

    Its window is the part of a frame around it. Its anchor is what the window showed once: places in the anchor are
    followed into later frames, so that errors of the flow do not add up.
    """

    number: int
    """Its identity, from 0."""
    landmarks: Points
    """(5,2) smoothed, pixels of the frame."""
    window: NDArray[np.float64]
    """(2,3): maps the frame's coordinates to those of its window."""
    anchor: Patch8
    """What the window showed when the track was anchored."""
    places: EuroState
    """(5,2) the landmarks in the anchor, in units of eye distance."""
    look: Look
    """How it looks on average."""
    offset: Points
    """(5,2) what the detector's landmarks have beyond the network's, in the window, pixels."""
    box: tuple[float, float, float, float]
    """The detector's box in the window, pixels."""
    score: float
    """The detector's confidence when it last found it."""
    offsets: int = 1
    """How many measurements `offset` is the mean of."""
    seen: float = 0.0
    """Seconds at which it was last seen."""
    missed: int = 0
    """Frames since it was last sure."""
    visible: bool = True
    """Whether it is in the frame."""

    def face(self) -> Face:
        """The face in the frame's coordinates."""
        (back,) = inverses(self.window[None])
        low, high = np.array(self.box).reshape(2, 2) @ back[:, :2].T + back[:, 2]
        scale = float(np.hypot(back[0, 0], back[1, 0]))
        middle, half = (low + high) / 2, (np.array(self.box[2:]) - self.box[:2]) * scale / 2
        x0, y0, x1, y1 = (float(each) for each in (*(middle - half), *(middle + half)))
        return Face((x0, y0, x1, y1), self.score, self.landmarks)


@dataclass(frozen=True, eq=False)
class Followed:
    """A track's place in the next frame, before the landmark network saw it."""

    track: Track
    """As it was."""
    patch: Patch8
    """What its window shows in the next frame."""
    motion: Motion | None
    """From its anchor to that; None where it cannot be told."""
    landmarks: Points
    """(5,2) predicted, without the detector's offset: what the network is to look at. Pixels of the frame."""

    def alike(self) -> float:
        """How much what the window shows resembles the track, -1..1."""
        matrix = self.motion.matrix if self.motion else np.eye(3)[:2]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        shown = cv2.warpAffine(self.patch, matrix, (PATCH_SIDE, PATCH_SIDE), flags=flags)
        return likeness(self.track.look, look_of(np.asarray(shown, dtype=np.uint8)))


def started(number: int, frame: Frame, face: Face, network: Points, seconds: float) -> Track:
    """A new track of a face that was detected.

    Args:
        number: Its identity.
        frame: Where it was detected.
        face: As it was detected, with landmarks.
        network: (5,2) its landmarks as the landmark network measures them.
        seconds: The frame's time.
    """
    landmarks = landmarks_in(face)
    window = patch_window(landmarks)
    patch, places = cut_patch(frame, window), moved(window[None], landmarks[None])[0]
    offset = places - moved(window[None], network[None])[0]
    state = EuroState(places / PATCH_EYES, np.zeros_like(places), 1)
    look, box = look_of(patch), _box_in(window, face)
    return Track(number, landmarks, window, patch, state, look, offset, box, face.score, seen=seconds)


def followed(track: Track, frame: Frame) -> Followed:
    """Where a track's face is in the next frame, by the motion of its pixels."""
    patch = cut_patch(frame, track.window)
    motion = motion_between(track.anchor, patch)
    places = _in_window(track, motion) - _trusted_offset(track)
    return Followed(track, patch, motion, moved(inverses(track.window[None]), places[None])[0])


def corrected(seen: Followed, landmarks: Points, frame: Frame, seconds: float, step: float) -> Track:
    """The track after the landmark network measured its face.

    Args:
        seen: Where it was predicted.
        landmarks: (5,2) as the network measured them, pixels of the frame.
        frame: The frame.
        seconds: The frame's time.
        step: Seconds since the frame before, above 0.
    """
    track, motion = seen.track, seen.motion
    here = moved(track.window[None], landmarks[None])[0] + _trusted_offset(track)
    if motion is None:
        return _begun_again(
            replace(track, seen=seconds), frame, moved(inverses(track.window[None]), here[None])[0]
        )
    in_anchor = moved(inverses(motion.matrix[None]), here[None])[0]
    places = LANDMARK_FILTER.step(track.places, in_anchor / PATCH_EYES, step)
    placed = coasted(replace(seen, track=replace(track, places=places)), seconds)
    return _anchored(placed, frame, placed.landmarks) if motion.share < _ANCHORED else placed


def coasted(seen: Followed, seconds: float) -> Track:
    """The track in a frame in which only the motion of its pixels tells where it is: at the place that this gives."""
    track = seen.track
    landmarks = moved(inverses(track.window[None]), _in_window(track, seen.motion)[None])[0]
    return replace(track, landmarks=landmarks, seen=seconds, window=patch_window(landmarks))


def detected(track: Track, frame: Frame, face: Face, network: Points | None) -> Track:
    """The track after the detector found its face.

    Args:
        track: In the same frame.
        frame: The frame.
        face: As it was detected, with landmarks.
        network: (5,2) its landmarks as the landmark network measured them in this frame: the track stays where it is,
            and learns how the detector's landmarks differ from these. None: the track begins again where the detector
            found the face.
    """
    if network is None:
        track = _begun_again(track, frame, landmarks_in(face))
        return replace(track, box=_box_in(track.window, face), score=face.score, missed=0, visible=True)
    count = min(track.offsets + 1, _MOST_OFFSETS)
    there, here = moved(track.window[None], np.stack([landmarks_in(face), network]))
    offset = track.offset + (there - here - track.offset) / count
    old, new = np.array(track.box), np.array(_box_in(track.window, face))
    x0, y0, x1, y1 = (old + (new - old) / count).tolist()
    box = x0, y0, x1, y1
    return replace(track, offset=offset, offsets=count, box=box, score=face.score, missed=0, visible=True)


def landmarks_in(face: Face) -> Points:
    """The face's landmarks, which it must have."""
    assert face.landmarks is not None, "the caller gives faces landmarks"
    return face.landmarks


def likeness(ours: Look, other: Look) -> float:
    """How much two looks resemble each other: their correlation, -1..1."""
    return float((ours * other).sum() / (np.linalg.norm(ours) * np.linalg.norm(other) + 1e-6))


def look_of(patch: Patch8) -> Look:
    """(16,16,3): how a patch's face looks, whatever its brightness; 0 outside the face."""
    small = cv2.resize(patch, (_LOOK_SIDE, _LOOK_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    inside = cv2.resize(
        face_ellipse().astype(np.float32), (_LOOK_SIDE, _LOOK_SIDE), interpolation=cv2.INTER_AREA
    )
    middle = (small * inside[..., None]).sum(axis=(0, 1)).mean() / inside.sum()
    return np.asarray((small - middle) * inside[..., None], dtype=np.float32)


def _in_window(track: Track, motion: Motion | None) -> Points:
    places = track.places.value * PATCH_EYES
    return places if motion is None else moved(motion.matrix[None], places[None])[0]


def _trusted_offset(track: Track) -> Points:
    """The part of the offset that is more than noise, by James and Stein.

    Noise in it would move the face slowly as it averages out.
    """
    noise = (track.offset.size - 2) * (_OFFSET_NOISE * PATCH_EYES) ** 2 / track.offsets
    return track.offset * max(0.0, 1 - noise / max(float(np.square(track.offset).sum()), 1e-12))


def _begun_again(track: Track, frame: Frame, landmarks: Points) -> Track:
    """The track at a place that its earlier measurements say nothing of."""
    made = _anchored(track, frame, landmarks)
    return replace(made, places=replace(made.places, count=1))


def _anchored(track: Track, frame: Frame, landmarks: Points) -> Track:
    """The track with a new anchor: what its window shows in this frame."""
    window = patch_window(landmarks)
    patch, places = cut_patch(frame, window), moved(window[None], landmarks[None])[0] / PATCH_EYES
    state = EuroState(places, np.zeros_like(places), track.places.count)
    seen = look_of(patch)
    # What covers a face is not to become its look.
    gain = _LOOK_GAIN if likeness(track.look, seen) >= _OWN_LOOK else 0.0
    look = track.look + gain * (seen - track.look)
    return replace(track, landmarks=landmarks, window=window, anchor=patch, places=state, look=look)


def _box_in(window: NDArray[np.float64], face: Face) -> tuple[float, float, float, float]:
    """A face's box in a window: its middle there, and its sides by the window's scale."""
    x0, y0, x1, y1 = face.box
    x, y = window[:, :2] @ face.center + window[:, 2]
    scale = float(np.hypot(window[0, 0], window[1, 0]))
    across, down = (x1 - x0) * scale / 2, (y1 - y0) * scale / 2
    return float(x - across), float(y - down), float(x + across), float(y + down)
