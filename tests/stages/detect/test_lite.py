"""The embedded detector: one network proposes, another one judges and finds the landmarks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from detectors import CPU, detect, example, opened
from helpers import EXAMPLES, photo, shared_picture

from gpen_fast.settings import WeightsOptions
from gpen_fast.stages.align import landmarks_of
from gpen_fast.stages.detect.lite import LandmarkReader, LiteDetector
from gpen_fast.stages.load import load
from gpen_fast.store.shipped import shipped
from gpen_fast.types import Face

PATH = shipped("landmarks-lite.safetensors")
# Detected by RetinaFace; the examples are no training pictures.
LANDMARKS = {
    "astronaut.png": [[204, 100], [248, 104], [224, 128], [202, 138], [245, 142]],
    "grace_hopper.jpg": [[224, 190], [307, 188], [267, 241], [232, 273], [305, 271]],
}
# Over the eye distance: two good detectors are half of this apart.
NEAR = 0.1


def off(face: Face, wanted: np.ndarray) -> float:
    assert face.landmarks is not None
    eyes = np.linalg.norm(wanted[1] - wanted[0])
    return float(np.linalg.norm(face.landmarks - wanted, axis=1).mean() / eyes)


def test_the_weights_are_small() -> None:
    assert PATH.stat().st_size <= 500_000


@pytest.mark.parametrize("name", LANDMARKS)
def test_landmarks_lie_where_they_should(name: str) -> None:
    (face,) = detect("lite", EXAMPLES / name)
    assert off(face, np.array(LANDMARKS[name])) < NEAR
    assert 0.88 < face.score <= 1
    x0, y0, x1, y1 = face.box
    assert (face.landmarks > (x0, y0)).all()
    assert (face.landmarks < (x1, y1)).all()


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_landmarks_follow_a_head_that_is_turned(degrees: float) -> None:
    wanted = np.array(LANDMARKS["astronaut.png"])
    turn = cv2.getRotationMatrix2D(tuple(wanted.mean(axis=0)), degrees, 1.0)
    turned = cv2.warpAffine(example("astronaut.png"), turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    (face,) = detect("lite", turned)
    assert off(face, wanted @ turn[:, :2].T + turn[:, 2]) < NEAR


def test_a_face_that_fills_the_picture_is_found() -> None:
    wanted = np.array(LANDMARKS["astronaut.png"])
    x, y = wanted.mean(axis=0).round().astype(int)
    close = example("astronaut.png")[y - 62 : y + 62, x - 55 : x + 55]
    (face,) = detect("lite", close)
    assert off(face, wanted - (x - 55, y - 62)) < NEAR


@pytest.mark.parametrize("kind", ["grey", "sixteen bits", "large", "small"])
def test_every_depth_colour_and_size(kind: str) -> None:
    array, wanted = example("astronaut.png"), np.array(LANDMARKS["astronaut.png"])
    made = {
        "grey": lambda: cv2.cvtColor(array, cv2.COLOR_RGB2GRAY),
        "sixteen bits": lambda: array.astype(np.uint16) * 257,
        "large": lambda: cv2.resize(array, (2048, 2048), interpolation=cv2.INTER_CUBIC),
        "small": lambda: cv2.resize(array, (160, 160), interpolation=cv2.INTER_AREA),
    }[kind]()
    (face,) = detect("lite", made)
    assert off(face, (wanted + 0.5) * (made.shape[0] / 512) - 0.5) < NEAR


def test_nobody_in_pictures_without_faces() -> None:
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    for picture in (photo(300, 400), np.full((80, 100, 3), 90, np.uint8), np.zeros((5, 3, 3), np.uint8)):
        assert detect("lite", picture) == []
    for name in ("brick.png", "coffee.png", "rocket.jpg"):
        assert detect("lite", folder / name) == [], name


def test_small_faces_are_detected_at_a_larger_size() -> None:
    """A face of some 50 pixels in 4000 is not seen at 640."""
    array = cv2.resize(example("astronaut.png"), (256, 256), interpolation=cv2.INTER_AREA)
    scene = np.full((1200, 1500, 3), 128, np.uint8)
    scene[700:956, 900:1156] = array
    (face,) = detect("lite", scene)
    wanted = (np.array(LANDMARKS["astronaut.png"]) + 0.5) / 2 - 0.5 + (900, 700)
    assert off(face, wanted) < NEAR
    tiny = np.full((3000, 4000, 3), 128, np.uint8)
    tiny[700:956, 900:1156] = array
    assert off(detect("lite", tiny)[0], wanted) < NEAR
    assert detect("lite", tiny, detect_size=320) == []


def test_the_threshold_is_the_users() -> None:
    (face,) = detect("lite", EXAMPLES / "astronaut.png")
    assert detect("lite", EXAMPLES / "astronaut.png", detect_threshold=1.0) == []
    assert len(detect("lite", EXAMPLES / "astronaut.png", detect_threshold=face.score - 1e-6)) == 1


def test_threads_share_a_detector() -> None:
    detector, frame = opened("lite"), load(EXAMPLES / "astronaut.png", CPU)
    with ThreadPoolExecutor(4) as pool:
        boxes = {faces[0].box for faces in pool.map(lambda _: detector(frame), range(8))}
    assert len(boxes) == 1


def test_boxes_alone_align_as_landmarks_do() -> None:
    """What the detection cache and `align` take from a box agrees with the detector's own boxes."""
    detector, frame = opened("lite"), load(EXAMPLES / "astronaut.png", CPU)
    (face,) = detector(frame)
    assert off(face, landmarks_of(Face(face.box, 1.0), detector.box_points)) < 0.2


def test_the_people_of_a_group() -> None:
    faces = detect("lite", shared_picture("solvay_conference_1927.png"))
    assert 26 <= len(faces) <= 30


def test_an_opencv_without_cascades_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV 5 has neither the class nor the files."""
    monkeypatch.delattr(cv2, "CascadeClassifier", raising=False)
    monkeypatch.delattr(cv2, "data")
    (face,) = detect("lite", EXAMPLES / "astronaut.png")
    assert off(face, np.array(LANDMARKS["astronaut.png"])) < NEAR


@pytest.mark.parametrize("degrees", [60, 180])
def test_a_small_copy_shows_faces_at_any_angle(degrees: int) -> None:
    wanted = np.array(LANDMARKS["astronaut.png"])
    turn = cv2.getRotationMatrix2D((255.5, 255.5), degrees, 1.0)
    turned = cv2.warpAffine(example("astronaut.png"), turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    detector = opened("lite")
    assert isinstance(detector, LiteDetector)
    (face,) = detector.at_any_angle(load(turned, CPU))
    assert off(face, wanted @ turn[:, :2].T + turn[:, 2]) < NEAR


def test_landmarks_are_confirmed_only_the_right_way_round() -> None:
    detector, frame = opened("lite"), load(EXAMPLES / "astronaut.png", CPU)
    assert isinstance(detector, LiteDetector)
    right = np.array(LANDMARKS["astronaut.png"], dtype=float)
    assert detector.confirms(frame, right, 0.25)
    assert not detector.confirms(frame, right.mean(axis=0) * 2 - right, 0.25), "upside down"
    assert not detector.confirms(frame, right + np.array([30, 0]), 0.25), "beside it"
    assert not detector.confirms(frame, right + np.array([200, 300]), 0.25), "elsewhere"


def test_the_landmark_network_alone_measures_faces_near_given_landmarks() -> None:
    read = LandmarkReader(WeightsOptions())
    frame = load(EXAMPLES / "astronaut.png", CPU)
    truth = np.array(LANDMARKS["astronaut.png"], dtype=float)
    points, scores = read(frame, np.stack([truth + 4, truth + np.array([150, 200])]))
    assert np.linalg.norm(points[0] - truth, axis=1).mean() < NEAR * np.linalg.norm(truth[1] - truth[0])
    assert scores[0] > 0.9 > scores[1]
