"""One face along its frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clips import ASTRONAUT
from faces_in_motion import POINTS, face_of, moved_by, portrait, shown, similarity

from gpen_fast.video.motion import cut_patch, patch_window
from gpen_fast.video.one_track import coasted, corrected, detected, followed, likeness, look_of, started


def begun(offset: float = 0.0):
    return started(3, shown(similarity()), face_of(POINTS), POINTS - offset, 0.0)


def test_a_face_is_followed_without_drift_and_its_box_with_it() -> None:
    track = begun()
    for at in range(1, 13):
        matrix = similarity(1 + 0.01 * at, at, 3 * at, at)
        frame = shown(matrix)
        track = coasted(followed(track, frame), at / 25)
    assert np.abs(track.landmarks - moved_by(matrix)).max() < 0.5
    face, expected = track.face(), face_of(POINTS)
    assert (face.score, track.number) == (expected.score, 3)
    assert face.short_side == pytest.approx(expected.short_side * 1.12, rel=0.01)
    assert np.abs(np.array(face.center) - moved_by(matrix, np.array([expected.center]))[0]).max() < 1.0


def test_noise_of_measurements_hardly_moves_it() -> None:
    track, rng, errors = begun(), np.random.default_rng(0), []
    for at in range(1, 40):
        frame = shown(similarity(x=2 * at))
        truth = moved_by(similarity(x=2 * at))
        track = corrected(followed(track, frame), truth + rng.normal(0, 1, (5, 2)), frame, at / 25, 1 / 25)
        errors.append(track.landmarks - truth)
    assert np.std(errors[10:], axis=0).mean() < 0.25


def test_what_the_detector_has_beyond_the_network_stays() -> None:
    track = begun(offset=4.0)
    for at in range(1, 6):
        frame = shown(similarity())
        seen = followed(track, frame)
        assert np.abs(seen.landmarks - (POINTS - 4)).max() < 0.3
        track = corrected(seen, POINTS - 4, frame, at / 25, 1 / 25)
    assert np.abs(track.landmarks - POINTS).max() < 0.3
    moved = detected(track, frame, face_of(POINTS + 30), None)
    assert np.abs(moved.landmarks - POINTS - 30).max() < 1e-6
    stays = detected(track, frame, face_of(POINTS, 0.5), POINTS - 4)
    assert np.abs(stays.landmarks - track.landmarks).max() == 0
    assert stays.score == 0.5


def test_a_difference_of_the_detector_no_larger_than_noise_moves_nothing() -> None:
    """A face of 82 pixels between the eyes: the detector's landmarks are 0.3 of them off the network's once."""
    frame = shown(similarity())
    track = started(3, frame, face_of(POINTS + np.array([[0.3, -0.3]] * 5)), POINTS, 0.0)
    for at in range(1, 12):
        track = corrected(followed(track, frame), POINTS, frame, at / 25, 1 / 25)
    assert np.abs(track.landmarks - POINTS).max() < 0.1


def test_landmarks_of_a_half_covered_face_are_left_at_once_when_it_is_seen() -> None:
    frame, track = shown(similarity()), started(3, shown(similarity()), face_of(POINTS + 6), POINTS + 6, 0.0)
    for at in range(1, 9):
        track = corrected(followed(track, frame), POINTS + 6, frame, at / 25, 1 / 25)
    for at in range(9, 11):
        track = corrected(followed(track, frame), POINTS, frame, at / 25, 1 / 25)
    assert np.abs(track.landmarks - POINTS).max() < 0.3


def test_without_a_motion_the_measurement_is_its_place() -> None:
    frame = shown(similarity())
    lost = replace(followed(begun(), frame), motion=None)
    there = corrected(lost, POINTS + 5, frame, 0.04, 0.04)
    assert np.abs(there.landmarks - POINTS - 5).max() < 1e-6
    assert there.places.count == 1


def test_a_face_looks_like_itself_in_any_light_and_not_like_another() -> None:
    def look(picture: np.ndarray, points: np.ndarray):
        return look_of(cut_patch(shown(np.eye(3)[:2], picture), patch_window(points)))

    own, dark = look(portrait(), POINTS), look((portrait() * 0.6).astype(np.uint8), POINTS)
    other = look(portrait(ASTRONAUT), np.array(ASTRONAUT.points))
    assert likeness(own, dark) > 0.98
    assert likeness(own, other) < 0.75
    assert begun().look.shape == (16, 16, 3)
    seen = followed(begun(), shown(similarity(x=3)))
    assert seen.alike() > 0.98
