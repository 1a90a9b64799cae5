"""Which detected face is which track's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clips import CLIPS, ClipFrame
from faces_in_motion import face_of, frame_of

from gpen_fast.video.matching import apart, eyes_of, matches
from gpen_fast.video.one_track import Track, started

FRAME: ClipFrame = list(CLIPS["crossing"].frames(50, 270))[4]
PLACES = [np.asarray(each) for each in FRAME.landmarks.values()]


def tracks() -> list[Track]:
    frame = frame_of(FRAME.pixels)
    return [started(at, frame, face_of(each), each, 1.0) for at, each in enumerate(PLACES)]


def test_each_face_goes_to_its_own_track_whatever_the_order() -> None:
    frame = frame_of(FRAME.pixels)
    assert len(PLACES) == 2
    assert matches(tracks(), [face_of(each) for each in PLACES], frame, 1.04) == {0: 0, 1: 1}
    assert matches(tracks(), [face_of(each) for each in reversed(PLACES)], frame, 1.04) == {0: 1, 1: 0}


def test_look_decides_where_two_faces_changed_places() -> None:
    swapped = [
        replace(track, landmarks=there, visible=False)
        for track, there in zip(tracks(), reversed(PLACES), strict=True)
    ]
    # Long enough unseen to have come from there.
    found = matches(swapped, [face_of(each) for each in PLACES], frame_of(FRAME.pixels), 2.5)
    assert found == {0: 0, 1: 1}


def test_a_lost_track_takes_no_other_face_and_no_face_of_another_size() -> None:
    first, second = tracks()
    lost = replace(first, visible=False, landmarks=PLACES[1])
    assert matches([lost], [face_of(PLACES[1])], frame_of(FRAME.pixels), 1.1) == {}
    grown = PLACES[1].mean(axis=0) + 2 * (PLACES[1] - PLACES[1].mean(axis=0))
    assert matches([second], [face_of(grown)], frame_of(FRAME.pixels), 1.1) == {}


def test_distances_are_in_eye_distances() -> None:
    eyes = float(np.hypot(*(PLACES[0][1] - PLACES[0][0])))
    assert eyes_of(PLACES[0]) == pytest.approx(eyes, rel=0.15)
    assert apart(PLACES[0], PLACES[0] + (eyes_of(PLACES[0]), 0)) == pytest.approx(1)
    side = PLACES[0].copy()
    side[1] = side[0]
    assert eyes_of(side) > eyes / 2
