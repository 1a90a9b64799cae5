"""YOLO files through OpenCV: a Darknet network of one layer that finds what is bright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from detectors import opened

from gpen_fast.errors import CheckpointError, WeightsNotFoundError
from gpen_fast.settings import DetectOptions
from gpen_fast.stages.detect import yoloface
from gpen_fast.store import records
from gpen_fast.store.hashes import sha256_of
from gpen_fast.types import Frame

CFG = """[net]
width=416
height=416
channels=3

[maxpool]
size=32
stride=32

[convolutional]
filters=6
size=1
stride=1
pad=0
activation=linear

[yolo]
mask=0
anchors=64,96
classes=1
num=1
"""


def write_network(folder: Path, cfg: str | None = "yolov3-tiny_face.cfg") -> None:
    """Each 32x32 cell with a white pixel is a face of 64x96 around it: Darknet's header, 6 biases, 6x3 weights."""
    biases = np.array([0, 0, 0, 0, -18, 9], np.float32)  # box offsets, objectness, class; through a sigmoid
    weights = np.zeros((6, 3), np.float32)
    weights[4] = 9
    header = np.array([0, 2, 0], np.int32).tobytes() + np.array([0], np.int64).tobytes()
    (folder / "yolov3-tiny_face.weights").write_bytes(header + biases.tobytes() + weights.tobytes())
    if cfg:
        (folder / cfg).write_text(CFG)
    file = folder / "yolov3-tiny_face.weights"
    records.accept("yoloface", sha256_of(file, fresh=True).sha256, records.TRUSTED, str(file))


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(folder))
    return folder


def spots(width: int, height: int, *at: tuple[int, int]) -> Frame:
    pixels = torch.zeros(3, height, width, dtype=torch.uint8)
    for x, y in at:
        pixels[:, y : y + 4, x : x + 4] = 255
    return Frame(pixels)


def test_boxes_lie_where_the_network_sees_faces(weights: Path) -> None:
    write_network(weights)
    faces = opened("yoloface")(spots(400, 300, (40, 40), (330, 200)))
    assert sorted(tuple(round(edge) for edge in face.box) for face in faces) == [
        (16, 0, 80, 96), (304, 160, 368, 256),
    ]  # fmt: skip
    assert all(face.landmarks is None and 0.9 < face.score <= 1 for face in faces)


def test_boxes_of_a_shrunk_picture_are_in_its_own_pixels(weights: Path) -> None:
    write_network(weights)
    (face,) = opened("yoloface", detect_size=320)(
        Frame(spots(320, 160, (70, 70)).pixels.repeat_interleave(2, 1).repeat_interleave(2, 2))
    )
    assert [round(edge) for edge in face.box] == [96, 64, 224, 256]


def test_nobody(weights: Path) -> None:
    write_network(weights)
    assert opened("yoloface")(spots(100, 100)) == []


def test_files_that_do_not_do(weights: Path) -> None:
    with pytest.raises(
        WeightsNotFoundError, match=r"no weights for yoloface: yolov3-tiny_face\.weights is not in"
    ):
        opened("yoloface")
    write_network(weights, cfg=None)
    with pytest.raises(CheckpointError, match=r"needs yolov3-tiny_face\.cfg beside it\. Put it there\."):
        opened("yoloface")
    (weights / "yolov3-tiny_face.cfg").write_text(CFG.split("[yolo]")[0])
    with pytest.raises(CheckpointError, match="accepted are rows of box, objectness and class scores"):
        opened("yoloface")
    (weights / "yolov3-tiny_face.cfg").write_text("nonsense")
    with pytest.raises(CheckpointError, match="cannot read it as Darknet weights or ONNX"):
        opened("yoloface")


def test_onnx_rows_are_pixels_of_its_own_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Network:
        def setInput(self, blob: np.ndarray) -> None:  # noqa: N802
            assert blob.shape == (1, 3, 416, 416)

        def getUnconnectedOutLayersNames(self) -> tuple[str, ...]:  # noqa: N802
            return ("out",)

        def forward(self, names: object) -> tuple[np.ndarray, ...]:
            return (np.array([[[208, 104, 40, 60, 0.9, 0.8], [10, 10, 8, 8, 0.9, 0.1]]], np.float32),)

    monkeypatch.setattr(yoloface, "open_yolo", lambda path: Network())
    detector = yoloface.YoloFace(tmp_path / "yolov3-tiny_face.onnx", DetectOptions())
    (face,) = detector(spots(832, 600))
    assert face.box == pytest.approx((376, 148, 456, 268))
    assert face.score == pytest.approx(0.72)
