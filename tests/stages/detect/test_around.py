"""A detector around another one is that one in every property."""

from __future__ import annotations

import torch
from runs import BatchDetector

from gpen_fast.stages.detect.around import DetectorAround
from gpen_fast.stages.detect.base import batch_size, find_all
from gpen_fast.types import Frame


def test_it_is_the_detector_in_every_property() -> None:
    wrapped = BatchDetector()
    around = DetectorAround(wrapped)
    for name in ("name", "on_host", "weights", "threshold", "bound", "batch_size"):
        assert getattr(around, name) == getattr(wrapped, name)
    assert around.box_points is wrapped.box_points
    assert batch_size(around) == 4


def test_pictures_are_searched_by_the_detector_in_one_call() -> None:
    wrapped = BatchDetector()
    frames = [Frame(torch.zeros(3, 8, 8, dtype=torch.uint8)) for _ in range(3)]
    assert [len(faces) for faces in find_all(DetectorAround(wrapped), frames)] == [1, 1, 1]
    assert len(DetectorAround(wrapped)(frames[0])) == 1
    assert wrapped.calls == [3, 1]
