"""A detector that opens when a picture needs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from detectors import CPU
from helpers import EXAMPLES

from gpen_fast.errors import HashError, PluginError, WeightsNotFoundError
from gpen_fast.settings import DetectOptions, WeightsOptions
from gpen_fast.stages.detect import lazy
from gpen_fast.stages.detect.lazy import NOT_NEEDED, LazyDetector
from gpen_fast.stages.load import load
from gpen_fast.store.catalog import entry


def lazily(name: str) -> LazyDetector:
    return LazyDetector(DetectOptions(name), WeightsOptions(), CPU, "auto")


def test_a_wrong_file_is_refused_at_once_and_an_absent_one_is_not(published_by_name: Path) -> None:
    folder = published_by_name
    assert lazily("retinaface").name == NOT_NEEDED
    (folder / entry("retinaface-resnet50").file).write_text("other anchors")
    for name in ("retinaface", "auto"):
        with pytest.raises(HashError, match="is not the expected retinaface-resnet50"):
            lazily(name)
    (folder / entry("yunet").file).write_text("yunet")
    assert lazily("auto").name == NOT_NEEDED


def test_a_name_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(PluginError, match=r"detector 'yunnet' does not exist\. Did you mean 'yunet'\?"):
        lazily("yunnet")


def test_it_opens_once_and_then_is_the_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = lazy.open_any_angle
    monkeypatch.setattr(lazy, "open_any_angle", lambda *given: made.append(1) or real(*given))
    detector, frame = lazily("haar"), load(EXAMPLES / "astronaut.png", CPU)
    assert (detector.name, detector.weights, made) == (NOT_NEEDED, None, [])
    (face,) = detector(frame)
    assert [faces[0].box for faces in detector.many([frame, frame])] == [face.box, face.box]
    assert (detector.name, detector.on_host, detector.threshold, detector.bound) == ("haar", True, 0.5, 1600)
    assert detector.box_points.shape == (5, 2)
    assert detector.batch_size == 1
    assert made == [1]


def test_what_keeps_it_from_opening_is_told_for_each_picture(
    published_by_name: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector, frame = lazily("yunet"), load(EXAMPLES / "astronaut.png", CPU)
    told = []
    for _ in range(2):
        with pytest.raises(WeightsNotFoundError, match="no weights for yunet") as error:
            detector(frame)
        told.append(error.value)
    assert told[0] is not told[1]
    assert detector.name == "yunet"
    assert detector.weights is None
