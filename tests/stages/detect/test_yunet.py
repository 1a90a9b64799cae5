"""YuNet through OpenCV."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from detectors import CPU, opened
from helpers import DATA, EXAMPLES, SHARED, shared_picture

from gpen_fast.errors import CheckpointError, HashError, WeightsNotFoundError
from gpen_fast.stages.detect.base import Detector
from gpen_fast.stages.detect.yunet import open_yunet
from gpen_fast.stages.load import load
from gpen_fast.types import Frame


@pytest.fixture
def yunet(shared_weights: Callable[[str], None]) -> Detector:
    shared_weights("face_detection_yunet_2026may.onnx")
    return opened("yunet")


def test_everyone_in_the_group_and_nobody_else(yunet: Detector) -> None:
    faces = yunet(load(shared_picture("solvay_conference_1927.png"), CPU))
    wanted = np.array(json.loads((DATA / "retinaface_solvay.json").read_text())["faces"])
    assert len(faces) == 29
    for row in wanted:
        inside = [
            face for face in faces if row[0] < face.center[0] < row[2] and row[1] < face.center[1] < row[3]
        ]
        assert len(inside) == 1
        # Left in the picture first, as RetinaFace has it.
        assert np.abs(inside[0].landmarks.ravel() - row[5:]).max() < 6


def test_one_face_on_every_portrait_whole_and_filling(yunet: Detector) -> None:
    shared_picture("solvay_conference_1927.png")
    for path in [*sorted((SHARED / "images").glob("*.jpg")), *sorted(EXAMPLES.glob("*.*g"))]:
        assert len(yunet(load(path, CPU))) == 1, path.name
    rgb = cv2.cvtColor(cv2.imread(str(EXAMPLES / "astronaut.png")), cv2.COLOR_BGR2RGB)
    x0, y0, x1, y1 = (int(edge) for edge in yunet(load(rgb, CPU))[0].box)
    w = x1 - x0
    filling = cv2.resize(rgb[y0 + w // 6 : y1 - w // 6, x0 + w // 6 : x1 - w // 6], (1700, 2000))
    assert len(yunet(load(filling, CPU))) == 1


def test_threads_and_nobody(yunet: Detector) -> None:
    frame = load(EXAMPLES / "astronaut.png", CPU)
    with ThreadPoolExecutor(3) as pool:
        assert len({faces[0].box for faces in pool.map(lambda _: yunet(frame), range(6))}) == 1
    assert yunet(Frame(torch.full((1, 70, 90), 90, dtype=torch.uint8), channels=1)) == []


def test_files_that_are_not_there_or_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        WeightsNotFoundError,
        match=r"no weights for yunet: .*2023mar\.onnx is not in .*gpen-fast weights pull yunet",
    ):
        opened("yunet")
    path = tmp_path / "face_detection_yunet_2023mar.onnx"
    path.write_bytes(b"<html>")
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path))
    with pytest.raises(HashError, match=r"2023mar\.onnx is not the expected yunet and is not used"):
        opened("yunet")
    with pytest.raises(CheckpointError, match=r"OpenCV [\d.]+\S* cannot read it as YuNet"):
        open_yunet(path)


@pytest.mark.parametrize("shape", [(1, 9000), (3, 40000), (9000, 1), (20, 640), (32, 1600), (640, 30)])
def test_pictures_of_a_few_rows_have_no_face(yunet: Detector, shape: tuple[int, int]) -> None:
    assert yunet(Frame(torch.full((3, *shape), 90, dtype=torch.uint8))) == []
