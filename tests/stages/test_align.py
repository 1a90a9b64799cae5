"""Align: the template's points land where the reference puts them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import DATA

from gpen_fast.stages.align import TEMPLATES, align, landmarks_of
from gpen_fast.types import Face

REFERENCE = json.loads((DATA / "alignment.json").read_text())
BOX_POINTS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])


def move(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def back(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


def test_templates_are_the_published_ones() -> None:
    assert np.allclose(TEMPLATES["gpen"], REFERENCE["gpen_template_512"])
    assert np.allclose(TEMPLATES["ffhq"], REFERENCE["facexlib_ffhq_template_512"])


def test_every_case_within_a_hundredth_of_a_pixel() -> None:
    for case in REFERENCE["cases"]:
        landmarks, wanted = np.array(case["landmarks"]), np.array(case["matrix"])
        size = case["crop_size"]
        got = align([Face((0, 0, 1, 1), 1.0, landmarks)], "gpen", size, BOX_POINTS)[0]
        on_template = back(wanted, TEMPLATES["gpen"] * size / 512)
        for points in (landmarks, on_template):
            assert np.abs(move(got, points) - move(wanted, points)).max() <= 0.01


def test_batch_equals_single_faces_and_may_be_empty() -> None:
    faces = [Face((0, 0, 1, 1), 1.0, np.array(case["landmarks"])) for case in REFERENCE["cases"][:4]]
    together = align(faces, "gpen", 512, BOX_POINTS)
    assert np.allclose(together, np.concatenate([align([face], "gpen", 512, BOX_POINTS) for face in faces]))
    assert align([], "gpen", 512, BOX_POINTS).shape == (0, 2, 3)


def test_face_without_landmarks_is_placed_by_its_box() -> None:
    landmarks = landmarks_of(Face((100, 50, 200, 250), 1.0), BOX_POINTS)
    assert np.allclose(landmarks[0], [130, 130])
    assert np.allclose(landmarks[3], [135, 210])


@pytest.mark.parametrize("roll", [-20, 15])
def test_roll_is_undone_by_the_crop(roll: float) -> None:
    matrix = align([Face((100, 100, 200, 200), 1.0, roll=roll)], "gpen", 512, BOX_POINTS)[0]
    eyes = landmarks_of(Face((100, 100, 200, 200), 1.0, roll=roll), BOX_POINTS)[:2]
    in_picture = np.degrees(np.arctan2(*(eyes[1] - eyes[0])[::-1]))
    placed = move(matrix, eyes)
    assert in_picture == pytest.approx(roll)
    assert abs(placed[0, 1] - placed[1, 1]) < 1.0
