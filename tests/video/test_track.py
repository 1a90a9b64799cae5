"""Faces along the known clips: identities, cuts, exits, and landmarks that do not shake."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from clips import CLIPS, ClipFrame, damaged
from faces_in_motion import POINTS, face_of, frame_of, moved_by, network_of, shown, similarity

from gpen_fast.settings import DetectOptions, WeightsOptions
from gpen_fast.stages.detect.lite import LandmarkReader, create
from gpen_fast.video.matching import apart
from gpen_fast.video.track import TrackedFace, Tracker, TrackState

HEIGHT = 270


@pytest.fixture(scope="module")
def network() -> LandmarkReader:
    return LandmarkReader(WeightsOptions())


def tracked(
    network, clip: str, count: int, every: int = 5
) -> list[tuple[ClipFrame, list[TrackedFace], bool]]:
    """Each frame with its faces, and whether the detector ran."""
    detector = create(DetectOptions(), WeightsOptions(), torch.device("cpu"), "auto")
    tracker, state, made = Tracker(network, detect_every=every), TrackState(), []
    for at, each in enumerate(CLIPS[clip].frames(count, HEIGHT)):
        frame = frame_of(damaged(each.pixels, at, noise=8.0))
        look = tracker.look(state, frame, at / 25)
        found = detector(frame) if look.wants_detection else None
        step = tracker.settle(state, look, frame, at / 25, found)
        state = step.state
        made.append((each, list(step.faces), look.wants_detection))
    return made


def owners(made: list[tuple[ClipFrame, list[TrackedFace], bool]]) -> dict[str, Counter[int]]:
    """Portrait -> how often each track was on it; "" counts faces where there is no face."""
    found: dict[str, Counter[int]] = {}
    for frame, faces, _ in made:
        for face in faces:
            near = [
                name for name, points in frame.landmarks.items() if apart(face.face.landmarks, points) < 0.4
            ]
            found.setdefault(near[0] if near else "", Counter())[face.number] += 1
    return found


def test_two_faces_that_cross_keep_their_identities(network) -> None:
    found = owners(tracked(network, "crossing", 36))
    found.pop("", None)
    assert len(found) == 2
    assert all(len(numbers) == 1 for numbers in found.values())
    assert len({next(iter(numbers)) for numbers in found.values()}) == 2
    # The one in front is seen in every frame.
    assert max(sum(numbers.values()) for numbers in found.values()) == 36


def test_a_cut_ends_every_track_and_leaves_no_ghost(network) -> None:
    found = owners(tracked(network, "cut", 12))
    assert found == {"grace_hopper.jpg": {0: 6}, "astronaut.png": {1: 6}}


def test_a_face_that_leaves_ends_within_a_frame_of_its_exit(network) -> None:
    made = tracked(network, "leaving", 30)
    exits = next(at for at, (frame, _, _) in enumerate(made) if not frame.landmarks)
    assert all(len(faces) == 1 for _, faces, _ in made[: exits - 1])
    assert not any(faces for _, faces, _ in made[exits + 2 :])


@pytest.mark.parametrize(("every", "count"), [(1, 8), (5, 24)])
def test_landmarks_shake_less_than_those_measured(network, every: int, count: int) -> None:
    made = tracked(network, "pan", count, every)
    assert sum(detected for _, _, detected in made) == len(range(0, count, every))
    truth = np.stack([next(iter(frame.landmarks.values())) for frame, _, _ in made])
    smoothed, raw = (np.stack([get(faces[0]) for _, faces, _ in made]) for get in (
        lambda face: face.face.landmarks, lambda face: face.measured))  # fmt: skip
    assert (smoothed - truth).std(axis=0).mean() < 0.75 * (raw - truth).std(axis=0).mean()


def test_an_unsure_network_asks_for_a_detection_and_what_that_misses_ends() -> None:
    score = [0.99]
    tracker = Tracker(network_of(lambda: POINTS, score=lambda: score[0]), detect_every=10)
    state, frame = TrackState(), shown(similarity())
    asked, there = [], []
    for at in range(9):
        score[0] = 0.5 if at >= 3 else 0.99
        look = tracker.look(state, frame, at / 25)
        step = tracker.settle(
            state,
            look,
            frame,
            at / 25,
            ([face_of(POINTS)] if at < 3 else []) if look.wants_detection else None,
        )
        state = step.state
        asked.append(look.wants_detection)
        there.append(len(step.faces))
    assert asked == [True, False, False, True, False, True, False, True, False]
    # Four frames by its motion alone.
    assert there == [1] * 7 + [0, 0]
    score[0] = 0.2
    assert not tracker.settle(state, tracker.look(state, frame, 0.4), frame, 0.4, []).faces


def test_a_face_that_is_found_again_is_the_same() -> None:
    score = [0.99]
    tracker = Tracker(network_of(lambda: POINTS, score=lambda: score[0]), detect_every=1)
    state, frame = TrackState(), shown(similarity())
    numbers = []
    for at, found in enumerate([True, False, False, True]):
        score[0] = 0.99 if found else 0.1
        look = tracker.look(state, frame, at / 25)
        step = tracker.settle(state, look, frame, at / 25, [face_of(POINTS)] if found else [])
        state = step.state
        numbers.append([face.number for face in step.faces])
    assert numbers == [[0], [], [], [0]]


def test_a_face_that_is_detected_twice_is_one() -> None:
    tracker = Tracker(network_of(lambda: POINTS), detect_every=9)
    frame = shown(similarity())
    look = tracker.look(TrackState(), frame, 0.0)
    found = [face_of(POINTS), face_of(moved_by(similarity(x=6)), 0.9)]
    step = tracker.settle(TrackState(), look, frame, 0.0, found)
    assert [face.number for face in step.faces] == [0]
