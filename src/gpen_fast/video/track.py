"""Faces along frames: detected now and then, and followed in between.

Each frame, the pixels of every known face tell how it moved, and a small network measures its landmarks there. The
detector runs every few frames, at cuts, and where a track is not sure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpen_fast.image.similarity import Points
from gpen_fast.types import Face, Frame
from gpen_fast.video.cuts import Thumbnail, is_cut, thumbnail
from gpen_fast.video.film_frame import area_around, with_area
from gpen_fast.video.matching import SAME_PLACE, apart, matches
from gpen_fast.video.one_track import (
    Followed,
    Track,
    coasted,
    corrected,
    detected,
    followed,
    landmarks_in,
    started,
)

# Takes a frame and (B,5,2) landmarks near which faces are; gives (B,5,2) landmarks and (B,) scores, 0..1.
LandmarkNetwork = Callable[[Frame, Points], tuple[Points, NDArray[np.float64]]]

# How far around landmarks such a network looks at most, as a share of their extent.
LANDMARK_REACH = 1.5
# Score from which the landmark network is sure, and the most that it may be off the predicted place, in eye distances.
_SURE, _NEAR = 0.7, 0.3
# How much a track must look like itself to be sure of itself.
_ALIKE = 0.65
# Frames that a track goes on by its motion alone, the least score there, and seconds for which a lost one may be found.
_COASTS, _COASTING, _REMEMBERED_S = 4, 0.4, 2.0
# Frames between detections that unsure tracks ask for.
_UNSURE_EVERY = 2
# A detection this far from a track that is unsure moves it, in eye distances.
_MOVES = 0.15
# Seconds between two frames, at least: for time stamps that do not increase.
_LEAST_STEP = 1e-3


@dataclass(frozen=True, eq=False)
class TrackState:
    """What a tracker knows between two frames. It never changes: a step gives a new one."""

    tracks: tuple[Track, ...] = ()
    """Those that are visible, and those that may be found again."""
    thumbnail: Thumbnail | None = None
    """The last frame."""
    seconds: float = 0.0
    """Its time."""
    since_detected: int = 0
    """Frames since the detector ran."""
    next_number: int = 0
    """Identity of the next new track."""


class TrackedFace(NamedTuple):
    """A face of one frame."""

    number: int
    """Its track's identity."""
    face: Face
    """Where it is, its landmarks smoothed."""
    measured: Points
    """(5,2) landmarks as they were measured in this frame alone."""


class TrackStep(NamedTuple):
    """What a tracker found in one frame."""

    state: TrackState
    """What it knows after the frame."""
    faces: tuple[TrackedFace, ...]
    """The faces in it."""


class _Seen(NamedTuple):
    """A track in the present frame."""

    track: Track
    is_sure: bool
    measured: Points


class TrackLook(NamedTuple):
    """What a tracker sees of a frame before the detector."""

    wants_detection: bool
    """Whether the detector is to find the faces of this frame."""
    is_cut: bool
    """Whether a new scene begins with it."""
    known: tuple[_Seen, ...]
    """The known tracks in it."""
    thumbnail: Thumbnail
    """Of the frame."""


class Tracker:
    """Follows the faces of a film. A frame is looked at, detected where that is wanted, and settled."""

    def __init__(self, network: LandmarkNetwork, *, detect_every: int) -> None:
        """Takes what measures faces.

        Args:
            network: Measures landmarks near given ones.
            detect_every: Frames from one detection to the next, 1 and up.
        """
        self._network = _shown_to(network)
        self._every = detect_every

    def look(self, state: TrackState, frame: Frame, seconds: float) -> TrackLook:
        """Follows the known faces into the next frame.

        Args:
            state: After the frame before; a new one for the first.
            frame: The frame.
            seconds: Its time, later than that of the frame before.
        """
        small = thumbnail(frame)
        first = state.thumbnail is None
        cut = state.thumbnail is not None and is_cut(state.thumbnail, small)
        known = [] if first or cut else self._followed(state, frame, seconds)
        since = state.since_detected + 1
        unsure = any(seen.track.visible and not seen.is_sure for seen in known)
        due = first or cut or since >= self._every or (unsure and since >= _UNSURE_EVERY)
        return TrackLook(due, cut, tuple(known), small)

    def settle(
        self, state: TrackState, look: TrackLook, frame: Frame, seconds: float, found: Sequence[Face] | None
    ) -> TrackStep:
        """The faces of the frame.

        Args:
            state: As it was given to `look`.
            look: What that returned.
            frame: The frame.
            seconds: Its time.
            found: What the detector found in it, with landmarks; None where it did not run.
        """
        known, number = list(look.known), state.next_number
        if found is not None:
            known, number = self._found(known, found, frame, seconds, number)
        known = _distinct([_kept(seen, seconds) for seen in known])
        remembered = tuple(seen.track for seen in known if seconds - seen.track.seen <= _REMEMBERED_S)
        since = state.since_detected + 1 if found is None else 0
        faces = [
            TrackedFace(seen.track.number, seen.track.face(), seen.measured)
            for seen in known
            if seen.track.visible
        ]
        return TrackStep(TrackState(remembered, look.thumbnail, seconds, since, number), tuple(faces))

    def _followed(self, state: TrackState, frame: Frame, seconds: float) -> list[_Seen]:
        """The known tracks in the frame."""
        visible = [followed(track, frame) for track in state.tracks if track.visible]
        lost = [_Seen(track, False, track.landmarks) for track in state.tracks if not track.visible]
        if not visible:
            return lost
        step = max(_LEAST_STEP, seconds - state.seconds)
        points, scores = self._network(frame, np.stack([seen.landmarks for seen in visible]))
        measurements = zip(visible, points, scores, strict=True)
        return [
            _seen(each, near, float(score), frame, seconds, step) for each, near, score in measurements
        ] + lost

    def _found(
        self, known: list[_Seen], faces: Sequence[Face], frame: Frame, seconds: float, number: int
    ) -> tuple[list[_Seen], int]:
        """The tracks after a detection, and the next new track's number."""
        own = matches([seen.track for seen in known], faces, frame, seconds)
        made = [
            _confirmed(seen, frame, faces[own[index]], seconds) if index in own else seen
            for index, seen in enumerate(known)
        ]
        here = [seen.track.landmarks for seen in made if seen.track.visible]
        for index, face in enumerate(faces):
            taken = index in own.values() or any(apart(landmarks_in(face), at) < SAME_PLACE for at in here)
            if not taken:
                (points,), _ = self._network(frame, landmarks_in(face)[None])
                made.append(_Seen(started(number, frame, face, points, seconds), True, landmarks_in(face)))
                number += 1
        return made, number


def _shown_to(network: LandmarkNetwork) -> LandmarkNetwork:
    """The network, which gets to see a frame around the landmarks that it is given."""

    def measured(frame: Frame, near: Points) -> tuple[Points, NDArray[np.float64]]:
        for each in near:
            with_area(frame, area_around(each, LANDMARK_REACH))
        return network(frame, near)

    return measured


def _seen(seen: Followed, points: Points, score: float, frame: Frame, seconds: float, step: float) -> _Seen:
    """A track after the network's measurement: where that cannot be trusted, the motion alone tells its place."""
    near, alike = seen.motion is None or apart(points, seen.landmarks) < _NEAR, seen.alike()
    if near and score >= _SURE and alike >= _ALIKE:
        return _Seen(replace(corrected(seen, points, frame, seconds, step), missed=0), True, points)
    coasts = seen.motion is not None and score >= _COASTING and alike >= _ALIKE
    track = coasted(seen, seconds) if coasts else seen.track
    return _Seen(replace(track, missed=seen.track.missed + 1), False, points)


def _confirmed(seen: _Seen, frame: Frame, face: Face, seconds: float) -> _Seen:
    """A track whose face the detector found."""
    track = replace(seen.track, seen=seconds)
    far = apart(track.landmarks, landmarks_in(face)) > _MOVES
    if not track.visible or (far and not seen.is_sure):
        return _Seen(detected(track, frame, face, None), True, landmarks_in(face))
    return _Seen(detected(track, frame, face, seen.measured), True, seen.measured)


def _kept(seen: _Seen, seconds: float) -> _Seen:
    """A track that ends where it was not sure for too long, or was not seen at all."""
    ends = seen.track.missed > _COASTS or seen.track.seen < seconds
    return seen._replace(track=replace(seen.track, visible=False)) if ends else seen


def _distinct(known: list[_Seen]) -> list[_Seen]:
    """The tracks, of which none is where another is: of two, the surer and older one stays."""
    kept: list[_Seen] = []
    for seen in sorted(known, key=lambda each: (not each.is_sure, each.track.number)):
        here = [other.track.landmarks for other in kept if other.track.visible]
        if seen.track.visible and any(apart(seen.track.landmarks, at) < SAME_PLACE / 2 for at in here):
            seen = seen._replace(track=replace(seen.track, visible=False))
        kept.append(seen)
    return sorted(kept, key=lambda each: each.track.number)
