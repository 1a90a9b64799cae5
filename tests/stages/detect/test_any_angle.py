"""Faces that lie on their side or upside down are found, whatever the detector."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from detectors import CPU, example

from gpen_fast.errors import SettingsError
from gpen_fast.settings import DetectOptions, WeightsOptions
from gpen_fast.stages.detect import any_angle
from gpen_fast.stages.detect.any_angle import AnyAngleDetector, open_any_angle
from gpen_fast.stages.detect.base import BatchDetector, Detector
from gpen_fast.stages.detect.lite import LiteDetector
from gpen_fast.stages.load import load
from gpen_fast.types import Face, Frame

# As in test_lite.py; in a picture of 512x512.
LANDMARKS = np.array([[204, 100], [248, 104], [224, 128], [202, 138], [245, 142.0]])
BOX = (184.0, 70.0, 266.0, 164.0)


def opened(name: str, any_angle: bool | None = None) -> Detector:
    return open_any_angle(DetectOptions(name, any_angle=any_angle), WeightsOptions(), CPU, "auto")


def turned(quarters: int) -> tuple[Frame, np.ndarray]:
    """The astronaut turned counter-clockwise, and her landmarks there."""
    points = LANDMARKS
    for _ in range(quarters):
        points = np.stack([points[:, 1], 511 - points[:, 0]], axis=1)
    return load(np.ascontiguousarray(np.rot90(example("astronaut.png"), quarters)), CPU), points


def off(face: Face, wanted: np.ndarray) -> float:
    assert face.landmarks is not None
    return float(
        np.linalg.norm(face.landmarks - wanted, axis=1).mean() / np.linalg.norm(wanted[1] - wanted[0])
    )


class Fixed:
    """A detector that finds the same faces in every picture."""

    name = "fixed"
    on_host = True
    weights = None
    box_points = (LANDMARKS - BOX[:2]) / (BOX[2] - BOX[0], BOX[3] - BOX[1])
    threshold = 0.5
    bound = None

    def __init__(self, *faces: Face) -> None:
        self.faces = list(faces)

    def __call__(self, frame: Frame) -> list[Face]:
        return list(self.faces)


@pytest.fixture(scope="module")
def lite() -> LiteDetector:
    inner = opened("lite", any_angle=False)
    assert isinstance(inner, LiteDetector)
    return inner


@pytest.mark.parametrize("quarters", [1, 2])
def test_a_turned_portrait_is_found_by_default(quarters: int) -> None:
    frame, wanted = turned(quarters)
    (face,) = opened("lite")(frame)
    assert off(face, wanted) < 0.1
    assert opened("lite", any_angle=False)(frame) == []


def test_a_face_found_the_wrong_way_round_is_replaced(lite: LiteDetector) -> None:
    """RetinaFace and YuNet give an upside-down face eyes where its mouth is, with a high score."""
    frame, wanted = turned(2)
    centre = wanted.mean(axis=0)
    box = (centre[0] - 45, centre[1] - 45, centre[0] + 45, centre[1] + 45)
    wrong = Face(box, 0.99, centre * 2 - wanted)
    other = Face((10.0, 10.0, 60.0, 60.0), 0.8, LANDMARKS / 4)
    found = AnyAngleDetector(Fixed(wrong, other), lite)(frame)
    assert other in found
    assert wrong not in found
    assert len(found) == 2
    assert off(max(found, key=lambda face: face.area), wanted) < 0.1


@pytest.mark.parametrize("landmarks", [LANDMARKS, None])
def test_upright_faces_are_left_to_the_detector(
    landmarks: np.ndarray | None, lite: LiteDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With landmarks or with a box alone; one confirmed face spares the search."""
    monkeypatch.setattr(LiteDetector, "at_any_angle", None)
    faces = [Face((300.0, 300.0, 420.0, 420.0), 0.9, LANDMARKS + 200), Face(BOX, 0.8, landmarks)]
    assert AnyAngleDetector(Fixed(*faces), lite)(turned(0)[0]) == faces


def test_the_detector_decides_unless_the_user_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lite", "haar"):
        assert isinstance(opened(name), AnyAngleDetector)
        assert not isinstance(opened(name, any_angle=False), AnyAngleDetector)
    assert not isinstance(opened("none"), AnyAngleDetector)
    with pytest.raises(
        SettingsError, match="no use for detect-size, detect-device, detect-threshold, any-angle or landmarks"
    ):
        DetectOptions("none", any_angle=True)
    monkeypatch.setattr(any_angle, "present", lambda name, weights: None)
    assert not isinstance(opened("haar"), AnyAngleDetector), (
        "its networks are absent, and nobody asked for it"
    )
    assert isinstance(opened("haar", any_angle=True), AnyAngleDetector)


def test_it_stands_for_its_detector(lite: LiteDetector) -> None:
    inner = Fixed()
    outer = AnyAngleDetector(inner, lite)
    for name in ("name", "on_host", "weights", "box_points", "threshold", "bound"):
        assert getattr(outer, name) is getattr(inner, name)
    assert isinstance(outer, BatchDetector)
    assert outer.batch_size == 1
    plain = Frame(torch.full((3, 90, 120), 90, dtype=torch.uint8))
    assert outer.many([plain, turned(1)[0]])[0] == []


@pytest.mark.parametrize("shape", [(1, 9000), (9000, 1), (3, 40000), (1, 1)])
@pytest.mark.parametrize("name", ["lite", "haar"])
def test_pictures_of_one_row_or_column_have_no_face(name: str, shape: tuple[int, int]) -> None:
    assert opened(name)(Frame(torch.full((3, *shape), 90, dtype=torch.uint8))) == []
