"""Huge pictures are searched in parts: every face once, at its place."""

from __future__ import annotations

import numpy as np
import pytest
from detectors import CPU, example, opened

from gpen_fast.stages.detect.cascade import tiles
from gpen_fast.stages.detect.cascade.cascades import FRONTAL, Cascades
from gpen_fast.stages.detect.cascade.luma import luma_of
from gpen_fast.stages.detect.cascade.tiles import tiles_of
from gpen_fast.stages.load import load


def test_usual_pictures_are_one_part() -> None:
    grey = np.zeros((16384, 20), np.uint8)
    (part,) = tiles_of(grey)
    assert part.grey is grey or np.shares_memory(part.grey, grey)
    assert part.core == (-np.inf, -np.inf, np.inf, np.inf)


@pytest.mark.parametrize("shape", [(1, 16385), (33000, 2), (1, 70000), (2, 28672), (16400, 16400)])
def test_cores_cover_the_picture_once_and_parts_are_bounded(shape: tuple[int, int]) -> None:
    grey = np.zeros(shape, np.uint8)
    made = list(tiles_of(grey))
    assert max(max(part.grey.shape) for part in made) <= 16384
    rng = np.random.default_rng(0)
    points = rng.integers(0, shape[::-1], (200, 2), dtype=np.int32)
    boxes = np.concatenate([points, np.zeros_like(points)], axis=1)
    owners = sum(
        part.placed(boxes - np.array([part.x, part.y, 0, 0], np.int32))[1].astype(int) for part in made
    )
    assert (owners == 1).all()
    for (
        part
    ) in made:  # whatever has its middle in a core is whole in that part, up to half the overlap each way
        (x0, y0, x1, y1), (height, width) = part.core, part.grey.shape
        assert x0 == -np.inf or x0 - part.x >= 2048
        assert y0 == -np.inf or y0 - part.y >= 2048
        assert x1 == np.inf or part.x + width - x1 >= 2048
        assert y1 == np.inf or part.y + height - y1 >= 2048


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_face_in_an_overlap_is_found_once(monkeypatch: pytest.MonkeyPatch, mirrored: bool) -> None:
    grey = luma_of(load(example("astronaut.png"), CPU))
    wide = np.tile(grey, (1, 4))
    wide = np.ascontiguousarray(wide[:, ::-1]) if mirrored else wide
    find = Cascades("haar").find
    whole = sorted(find(FRONTAL, wide, neighbours=4, mirrored=mirrored).tolist())
    monkeypatch.setattr(tiles, "_SIDE", 700)
    monkeypatch.setattr(tiles, "_OVERLAP", 300)
    got = sorted(find(FRONTAL, wide, neighbours=4, mirrored=mirrored).tolist())
    assert len(got) == len(whole) == 4
    assert np.abs(np.subtract(got, whole)).max() <= 12


@pytest.mark.parametrize("name", ["haar", "lite"])
def test_a_face_far_out_in_a_huge_picture(name: str) -> None:
    face = example("astronaut.png")[:300, 80:380]
    canvas = np.full((300, 33400, 3), 120, np.uint8)
    canvas[:, 33000:33300] = face
    faces = opened(name, detect_size="full")(load(canvas, CPU))
    x, y = faces[0].center  # the best one
    assert 33090 < x < 33190
    assert 70 < y < 170
