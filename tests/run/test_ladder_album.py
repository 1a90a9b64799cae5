"""The pictures of the ladder: crops that are what the network was given, and how like the baseline a file is."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from helpers import EXAMPLES
from runs import pipeline_of

from gpen_fast.detections.file_format import read_detections
from gpen_fast.errors import PictureError
from gpen_fast.files import write_file
from gpen_fast.run.job import PictureSource
from gpen_fast.run.ladder_album import LadderAlbum, open_album, write_landmarks
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import Settings
from gpen_fast.stages.load import load
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame

HOPPER = EXAMPLES / "grace_hopper-degraded.jpg"
CPU = torch.device("cpu")


@pytest.fixture
def lite(tiny_weights: Path) -> Runtime:
    return load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="lite", precision="fp32", keep_detail=0.0)
    )


@pytest.fixture
def album(lite: Runtime, tmp_path: Path) -> LadderAlbum:
    return open_album(lite, [HOPPER], tmp_path)


def test_the_crop_is_what_the_network_was_given(lite: Runtime, album: LadderAlbum) -> None:
    pasted = pipeline_of(lite).restore(PictureSource(0, HOPPER))
    (crop,) = album.crops
    assert torch.equal(load(crop.path, CPU).pixels, pasted.crops.pixels[0])
    assert torch.equal(crop.wanted, pasted.restored[0])
    assert torch.equal(album.whole[0].wanted, pasted.result.pixels)


def test_likeness_is_that_of_the_file(album: LadderAlbum, tmp_path: Path) -> None:
    (picture,), result = album.whole, tmp_path / "r.png"
    write_file(result, open_writer("png").encode(Frame(picture.wanted), quality=95))
    assert picture.likeness(result) == (math.inf, pytest.approx(1.0))
    brighter = (picture.wanted.int() + 1).clamp(0, 255).to(torch.uint8)
    write_file(result, open_writer("png").encode(Frame(brighter), quality=95))
    db, similarity = picture.likeness(result)
    assert db == pytest.approx(48.13, abs=0.1), "an error of one grey level"
    assert 0.99 < similarity < 1


def test_landmarks_are_those_of_the_detector_and_written_once(lite: Runtime, album: LadderAlbum) -> None:
    write_landmarks(lite, album)
    path = album.landmarks("lite")
    (entry,) = read_detections(path).values()
    assert entry.found.detector == "lite" and len(entry.found.faces) == 1
    before = path.stat().st_mtime_ns
    write_landmarks(lite, album)
    assert path.stat().st_mtime_ns == before


def test_a_file_that_is_no_picture_is_named(lite: Runtime, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"x")
    with pytest.raises(PictureError, match=r"bad.jpg: not a picture that can be read"):
        open_album(lite, [tmp_path / "bad.jpg"], tmp_path)
