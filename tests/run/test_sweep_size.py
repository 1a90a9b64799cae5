"""One size: the aligned face that it measures, and what its process sends."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import EXAMPLES, photo, write_photo
from runs import pipeline_of

from gpen_fast.measure.report import Report
from gpen_fast.run.job import PictureSource
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.steps import RunsDone
from gpen_fast.run.sweep_size import SizeFailed, SizeTask, aligned_face, measure_in_child
from gpen_fast.settings import Settings
from gpen_fast.stages.aligned import crop_whole
from gpen_fast.stages.load import load

HOPPER = EXAMPLES / "grace_hopper-degraded.jpg"


class Pipe:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, message: object) -> None:
        self.sent.append(message)


def sent(picture: Path, weights: Path, **settings: object) -> list[object]:
    pipe = Pipe()
    chosen = Settings.from_flat(weights=str(weights), detector=settings.pop("detector", "lite"))
    measure_in_child(pipe, SizeTask(chosen, picture, 2, 1, 30.0))
    return pipe.sent


@pytest.fixture
def lite(tiny_weights: Path) -> Runtime:
    return load_runtime(Settings.from_flat(weights=str(tiny_weights), detector="lite", precision="fp32"))


def test_the_face_of_a_photograph_is_aligned_at_the_networks_size(lite: Runtime) -> None:
    face = aligned_face(lite, HOPPER)
    assert torch.equal(face.pixels, pipeline_of(lite).restore(PictureSource(0, HOPPER)).crops.pixels[0])
    assert tuple(face.pixels.shape) == (3, 64, 64)


def test_a_picture_without_a_face_is_resized_whole(lite: Runtime, tmp_path: Path) -> None:
    meadow = write_photo(tmp_path / "meadow.png")
    whole = crop_whole(load(meadow, lite.device), 64).pixels[0]
    assert torch.equal(aligned_face(lite, meadow).pixels, whole)


def test_16_bits_become_8(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), photo(height=64, width=64, dtype=np.uint16))
    face = aligned_face(runtime, path)
    assert face.pixels.dtype == torch.uint8
    assert face.pixels.float().std() > 10


def test_the_process_sends_every_run_and_then_the_report(tmp_path: Path, tiny_weights: Path) -> None:
    # A face of 64 pixels is too small to be found again once it is aligned.
    *runs, report = sent(HOPPER, tiny_weights, detector="none")
    assert runs == [RunsDone(number, 4) for number in (1, 2, 3, 4)]
    assert isinstance(report, Report)
    assert (report.runs, report.warmup, report.images, report.faces, report.face_size) == (2, 1, 2, 2, 64)


def test_what_fails_is_one_line(tmp_path: Path, tiny_weights: Path) -> None:
    assert sent(tmp_path / "none.jpg", tiny_weights) == [SizeFailed("no such file or directory")]
    (told,) = sent(HOPPER, tmp_path / "none.pth")
    assert isinstance(told, SizeFailed)
    assert "none.pth" in told.error


def test_a_face_that_is_not_found_again_is_said(tmp_path: Path, tiny_weights: Path) -> None:
    *_, told = sent(write_photo(tmp_path / "meadow.png"), tiny_weights)
    assert told == SizeFailed(
        "lite finds no face in the picture at 64 x 64 pixels. "
        "Try another picture, or --skip-detect if it is an aligned face."
    )
