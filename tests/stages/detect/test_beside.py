"""A detector on the host for pictures on a GPU."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from runs import BatchDetector

from gpen_fast.stages.detect.base import batch_size, find_all
from gpen_fast.stages.detect.beside import DetectorOnHost
from gpen_fast.types import Face, Frame


def test_pictures_are_searched_in_host_memory() -> None:
    given: list[Frame] = []

    class Noting(BatchDetector):
        def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
            given.extend(frames)
            return super().many(frames)

    detector = DetectorOnHost(Noting())
    host = torch.zeros(3, 8, 8, dtype=torch.uint8)
    on_device = Frame(torch.zeros(3, 8, 8, dtype=torch.uint8, device="meta"), host=host)
    assert len(find_all(detector, [on_device])[0]) == 1
    assert given[0].pixels is host
    assert len(detector(on_device)) == 1


def test_it_is_the_same_detector_and_works_on_the_host() -> None:
    wrapped = BatchDetector()
    detector = DetectorOnHost(wrapped)
    assert detector.on_host
    assert (detector.name, detector.threshold, detector.bound, detector.weights) == ("batch", 0.5, None, None)
    assert detector.box_points is wrapped.box_points
    assert batch_size(detector) == 4
