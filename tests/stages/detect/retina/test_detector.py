"""RetinaFace against facexlib's own pipeline, and on pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from detectors import CPU, opened
from helpers import DATA, EXAMPLES, SHARED, shared_picture

from gpen_fast.errors import PictureError
from gpen_fast.settings import DetectOptions, PrecisionName
from gpen_fast.stages.detect.retina import detector as retina
from gpen_fast.stages.detect.retina.detector import RetinaFace, anchors_of
from gpen_fast.stages.detect.retina.network import build_retinaface, open_retinaface
from gpen_fast.stages.detect.search import SearchPass
from gpen_fast.stages.load import load
from gpen_fast.types import Face, Frame

NAMES = {"resnet50": "retinaface-resnet50", "mobile0.25": "retinaface-mobilenet0.25"}


def rows(faces: list[Face]) -> np.ndarray:
    return np.array([[*face.box, face.score, *face.landmarks.ravel()] for face in faces])


def frame_of(bgr: np.ndarray) -> Frame:
    return load(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), CPU)


def portrait(size: int = 96) -> np.ndarray:
    """(size, 4/3 size, 3) BGR."""
    picture = cv2.imread(str(EXAMPLES / "astronaut.png"))
    return cv2.resize(picture, (size * 4 // 3 + 1, size), interpolation=cv2.INTER_AREA)


def with_random_weights(kind: str, path: Path) -> torch.nn.Module:
    """facexlib's network with weights that find something everywhere, and the same in a file."""
    network = build_retinaface(kind).train()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
            layer.weight.data.uniform_(0.8, 1.2)
            layer.bias.data.uniform_(-0.2, 0.2)
    with torch.no_grad():  # statistics of a picture, so that nothing overflows
        network(torch.from_numpy(portrait(192)).permute(2, 0, 1)[None] - network.mean_tensor)
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, path)
    network.phase = "test"
    return network.eval()


@pytest.mark.parametrize("kind", NAMES)
def test_random_weights_give_what_facexlibs_own_call_gives(kind: str, tmp_path: Path) -> None:
    reference = with_random_weights(kind, tmp_path / "weights.pth")
    bgr = portrait()
    with torch.no_grad():
        scores = reference(torch.from_numpy(bgr).permute(2, 0, 1)[None] - reference.mean_tensor)[1][0, :, 1]
        threshold = float(scores.sort().values[-120:-118].mean())
        wanted = reference.detect_faces(bgr, threshold)
    options = DetectOptions(detect_size="full", detect_threshold=threshold)
    network = open_retinaface(kind, tmp_path / "weights.pth", CPU, half=False)
    detector = RetinaFace("retinaface", network, options, CPU, 0.5)
    got = rows(detector(frame_of(bgr)))
    assert 10 < len(wanted) < 119, "some are suppressed, some are left"
    assert got.shape == wanted.shape
    order = [np.abs(got - row).max(axis=1).argmin() for row in wanted]
    assert sorted(order) == list(range(len(got)))
    assert np.abs(got[order] - wanted).max() < 0.02


@pytest.mark.parametrize("size", [(64, 64), (97, 131), (281, 230)])
def test_anchors_are_facexlibs(size: tuple[int, int]) -> None:
    from facexlib.detection.retinaface import generate_config
    from facexlib.detection.retinaface_utils import PriorBox

    wanted = PriorBox(generate_config("mobile0.25"), image_size=size).forward()
    anchors = anchors_of(*size, CPU)
    scale = torch.tensor([size[1], size[0]])
    assert torch.allclose(anchors.centers, wanted[:, :2] * scale, atol=1e-3)
    assert torch.allclose(anchors.sides.expand(-1, 2), wanted[:, 2:] * scale, atol=1e-3)


@pytest.fixture
def mobile(shared_weights: Callable[[str], None]) -> RetinaFace:
    shared_weights("detection_mobilenet0.25_Final.pth")
    return opened("retinaface-mobile")


def test_full_size_equals_the_reference_values(mobile: RetinaFace) -> None:
    wanted = np.array(json.loads((DATA / "retinaface_solvay.json").read_text())["faces"])
    picture = load(shared_picture("solvay_conference_1927.png"), CPU)
    got = rows(opened("retinaface-mobile", detect_size="full", detect_threshold=0.9)(picture))
    assert len(got) == len(wanted) == 29
    order = [np.abs(got - row).max(axis=1).argmin() for row in wanted]
    assert sorted(order) == list(range(29))
    assert np.abs(got[order] - wanted).max() < 0.01


def test_default_size_finds_the_same_people_in_a_group(mobile: RetinaFace) -> None:
    wanted = np.array(json.loads((DATA / "retinaface_solvay.json").read_text())["faces"])
    faces = mobile(load(shared_picture("solvay_conference_1927.png"), CPU))
    assert len(faces) == 29
    for row in wanted:
        nearest = min(faces, key=lambda face: np.abs(np.array(face.box) - row[:4]).max())
        assert np.abs(nearest.landmarks.ravel() - row[5:]).max() < 4
    assert [face.score for face in faces] == sorted((face.score for face in faces), reverse=True)


def test_one_face_on_every_portrait(mobile: RetinaFace) -> None:
    shared_picture("solvay_conference_1927.png")
    portraits = sorted((SHARED / "images").glob("*.jpg")) + sorted(EXAMPLES.glob("*.*g"))
    assert len(portraits) >= 12
    frames = [load(path, CPU) for path in portraits]
    for path, faces in zip(portraits, mobile.many(frames), strict=True):
        assert len(faces) == 1, path.name
        left, right, nose, left_mouth, right_mouth = faces[0].landmarks
        assert left[0] < nose[0] < right[0]
        assert left_mouth[0] < right_mouth[0]
        assert max(left[1], right[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_face_that_fills_the_picture_or_is_cut_by_its_edge(mobile: RetinaFace) -> None:
    bgr = cv2.imread(str(EXAMPLES / "astronaut.png"))
    x0, y0, x1, y1 = (int(v) for v in mobile(frame_of(bgr))[0].box)
    w = x1 - x0
    filling = cv2.resize(bgr[y0 + w // 8 : y1 - w // 8, x0 + w // 8 : x1 - w // 8], (1500, 1700))
    assert len(mobile(frame_of(filling))) == 1
    cut = mobile(frame_of(bgr[:, x0 + w // 2 :]))
    assert len(cut) == 1
    assert cut[0].box[0] < w // 4


def test_batches_equal_single_calls(mobile: RetinaFace, monkeypatch: pytest.MonkeyPatch) -> None:
    bgr = cv2.imread(str(EXAMPLES / "astronaut.png"))
    bgr = cv2.resize(bgr, (384, 384), interpolation=cv2.INTER_AREA)
    pictures = [bgr, bgr[:, ::-1], cv2.resize(bgr, (300, 400)), np.zeros_like(bgr), bgr[20:]]
    frames = [frame_of(np.ascontiguousarray(picture)) for picture in pictures]
    alone = [mobile(frame) for frame in frames]
    sizes: list[int] = []
    network = mobile._network
    monkeypatch.setattr(mobile, "_network", lambda batch: sizes.append(len(batch)) or network(batch))
    together = mobile.many(frames)
    assert max(sizes) >= 3, "equal shapes share a call"
    for one, other in zip(alone, together, strict=True):
        assert len(one) == len(other)
        if one:
            assert np.abs(rows(one) - rows(other)).max() < 0.01
    assert [len(faces) for faces in together] == [1, 1, 1, 0, 1]


@pytest.mark.parametrize("size", ["full", 200])
@pytest.mark.parametrize("colours", [1, 3])
def test_a_device_is_given_the_pixels_that_a_host_is_given(size: str | int, colours: int) -> None:
    bgr = portrait(300)
    frame = load(bgr[:, :, 0], CPU) if colours == 1 else frame_of(bgr)
    where = retina.place(frame, SearchPass(None if size == "full" else size, 0.1))
    host, device = (torch.zeros(where.height, where.width, 3) for _ in range(2))
    retina._fill_on_host(frame, where, host)
    retina._fill_on_device(frame, where, device)
    # The two shrink by filters of their own.
    assert (host - device).abs().mean() < (1e-3 if size == "full" else 5)
    assert -124 <= host.min() < -50 < 50 < host.max() <= 255 - 104


def test_grey_and_sixteen_bits(mobile: RetinaFace) -> None:
    grey = cv2.imread(str(EXAMPLES / "astronaut.png"), cv2.IMREAD_GRAYSCALE)
    eight, sixteen = mobile(load(grey, CPU)), mobile(load(grey.astype(np.uint16) * 257, CPU))
    assert len(eight) == 1
    assert np.abs(rows(eight) - rows(sixteen)).max() < 0.01


def test_too_little_memory_says_what_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(batch: torch.Tensor) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    detector = RetinaFace("retinaface", torch.nn.Conv2d(3, 1, 1), DetectOptions(), CPU, 0.5)
    monkeypatch.setattr(detector, "_network", no_room)
    with pytest.raises(PictureError, match=r"in 128x64 pixels does not fit into memory\. Try a smaller"):
        detector(Frame(torch.zeros(3, 50, 100, dtype=torch.uint8)))


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_cuda_finds_what_the_cpu_finds(mobile: RetinaFace, precision: PrecisionName) -> None:
    cuda = torch.device("cuda")
    device = opened("retinaface-mobile", cuda, precision)
    paths = [EXAMPLES / "astronaut.png", EXAMPLES / "grace_hopper.jpg"] * 8  # a whole batch of each shape
    for one, other in zip(
        mobile.many([load(path, CPU) for path in paths]),
        device.many([load(path, cuda) for path in paths]),  # type: ignore[attr-defined]
        strict=True,
    ):
        assert len(one) == len(other) == 1
        assert np.abs(rows(one) - rows(other)).max() < (0.5 if precision == "fp32" else 2)
