"""What detectors on OpenCV's networks share: a network for each thread, the user's size and threshold."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from gpen_fast.settings import DetectOptions
from gpen_fast.stages.detect.opencv import HostDetector
from gpen_fast.stages.detect.search import SearchPass
from gpen_fast.types import Face, Frame

FRAME = Frame(torch.zeros(3, 900, 1200, dtype=torch.uint8))


class Counting(HostDetector[int]):
    """Its network is the thread that opened it; it reports one face of 0.4 and one of 0.8 in every pass."""

    def __init__(self, options: DetectOptions) -> None:
        super().__init__(Path("weights"), options, 0.6)
        self.passes: list[tuple[SearchPass, float]] = []
        self.opened: list[int] = []

    def _open(self) -> int:
        self.opened.append(threading.get_ident())
        return self.opened[-1]

    def _detect(self, frame: Frame, search_pass: SearchPass, floor: float) -> list[Face]:
        assert self._network() == threading.get_ident()
        self.passes.append((search_pass, floor))
        return [Face((0, 0, 500, 500), 0.4), Face((600, 0, 1100, 500), 0.8)]


def test_its_own_threshold_or_the_users() -> None:
    assert [face.score for face in Counting(DetectOptions())(FRAME)] == [0.8]
    detector = Counting(DetectOptions(detect_threshold=0.2))
    assert [face.score for face in detector(FRAME)] == [0.8, 0.4]
    assert detector.passes == [(SearchPass(640), 0.2)], "candidates below the threshold are not asked for"


def test_the_size_is_the_users() -> None:
    detector = Counting(DetectOptions(detect_size=800))
    detector(FRAME)
    assert detector.bound == 800
    assert [each.long_side for each, _ in detector.passes] == [640, 800]


def test_each_thread_opens_one_network() -> None:
    detector = Counting(DetectOptions())
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: detector(FRAME), range(12)))
    assert len(detector.opened) == len(set(detector.opened)) <= 3
