"""One pass over pictures: what encodes them, what overlaps, and how it is stopped."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
import torch
from helpers import photo, write_photo
from runs import pictures, pipeline_of

from gpen_fast.errors import PictureError
from gpen_fast.run import ladder_pass
from gpen_fast.run.job import PictureSource, numbered
from gpen_fast.run.ladder_pass import result_path, run_pass
from gpen_fast.run.ladder_steps import Encoder, Overlap
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime
from gpen_fast.stages.load import load


def passed(
    runtime: Runtime,
    paths: list[Path],
    folder: Path,
    encoder: Encoder = "host",
    overlap: Overlap = "none",
    stopped: threading.Event | None = None,
) -> list[bytes]:
    """The files that a pass writes."""
    folder.mkdir(exist_ok=True)
    stopped = stopped or threading.Event()
    run_pass(
        pipeline_of(runtime), list(numbered(paths)), folder, encoder=encoder, overlap=overlap, stopped=stopped
    )
    return [each.read_bytes() for each in sorted(folder.glob("*.png"))]


@pytest.mark.parametrize("overlap", get_args(Overlap))
@pytest.mark.parametrize("encoder", get_args(Encoder))
def test_every_way_writes_the_same_pixels(
    runtime: Runtime, tmp_path: Path, encoder: Encoder, overlap: Overlap
) -> None:
    paths = pictures(tmp_path, 5)
    made = passed(runtime, paths, tmp_path / "out", encoder, overlap)
    assert len(made) == 5
    for index, path in enumerate(paths):
        wanted = pipeline_of(runtime).restore(PictureSource(0, path)).result.pixels.int()
        found = load(result_path(tmp_path / "out", index), torch.device("cpu")).pixels.int()
        # A batch may differ by a grey level from one face.
        assert int((found - wanted).abs().max()) <= (overlap == "all")


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (3, np.uint16), (4, np.uint8)])
def test_cv2_writes_grey_and_16_bits_and_leaves_alpha_out(
    runtime: Runtime, tmp_path: Path, channels: int, dtype: type
) -> None:
    path = tmp_path / "a.png"
    array = photo(height=64, width=64, channels=channels, dtype=dtype)
    cv2.imwrite(str(path), array)
    passed(runtime, [path], tmp_path / "out", "opencv")
    made = cv2.imread(str(result_path(tmp_path / "out", 0)), cv2.IMREAD_UNCHANGED)
    assert made.dtype == dtype
    assert made.shape == ((64, 64) if channels == 1 else (64, 64, 3))


def test_a_picture_that_fails_ends_the_pass(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    paths = [write_photo(tmp_path / "a.png"), tmp_path / "bad.png"]
    for overlap in get_args(Overlap):
        with pytest.raises(PictureError, match="not a picture"):
            passed(runtime, paths, tmp_path / "out", overlap=overlap)


def test_a_file_that_opencv_cannot_write_is_named(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imwrite", lambda path, pixels: False)
    with pytest.raises(PictureError, match=r"cv2.imwrite could not write .*0.png"):
        passed(runtime, [write_photo(tmp_path / "a.png")], tmp_path / "out", "opencv")


@pytest.mark.parametrize("overlap", get_args(Overlap))
def test_no_picture_is_taken_after_the_stop(
    runtime: Runtime, tmp_path: Path, overlap: Overlap, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    write = ladder_pass.write_file

    def stops(path: Path, data: bytes) -> None:
        stopped.set()
        write(path, data)

    monkeypatch.setattr(ladder_pass, "write_file", stops)
    paths = [*pictures(tmp_path, 3)] * 20
    assert 0 < len(passed(runtime, paths, tmp_path / "out", overlap=overlap, stopped=stopped)) < 60


def test_results_that_wait_for_a_slow_writer_are_few(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, most, go = [0], [0], threading.Event()
    restore = Pipeline.restore

    def restored(self: Pipeline, source: PictureSource):
        waiting[0] += 1
        most[0] = max(most[0], waiting[0])
        if source.index == ladder_pass._MOST_UNDER_WAY:
            go.set()
        return restore(self, source)

    def slow(path: Path, data: bytes) -> None:
        go.wait(20)
        waiting[0] -= 1

    monkeypatch.setattr(Pipeline, "restore", restored)
    monkeypatch.setattr(ladder_pass, "write_file", slow)
    passed(runtime, pictures(tmp_path, 3) * 5, tmp_path / "out", overlap="save")
    assert most[0] <= ladder_pass._MOST_UNDER_WAY + ladder_pass._WRITERS + 1
