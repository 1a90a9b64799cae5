"""Scene cuts: pans, zooms, noise, fades and flashes are none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from clips import CLIPS, damaged
from faces_in_motion import frame_of

from gpen_fast.video.cuts import is_cut, thumbnail


@pytest.mark.parametrize("name", ["pan", "zoom", "roll", "crossing", "fade", "leaving", "still"])
@pytest.mark.parametrize("noise", [0.0, 10.0])
def test_motion_noise_and_fades_are_no_cut(name: str, noise: float) -> None:
    frames = [
        thumbnail(frame_of(damaged(each.pixels, at, noise=noise)))
        for at, each in enumerate(CLIPS[name].frames(25, 90))
    ]
    assert not any(is_cut(before, after) for before, after in pairwise(frames))


def test_a_cut_is_one_and_a_flash_is_none() -> None:
    frames = [each.pixels for each in CLIPS["cut"].frames(20, 90)]
    small = [thumbnail(frame_of(each)) for each in frames]
    assert [at for at, (before, after) in enumerate(pairwise(small), 1) if is_cut(before, after)] == [10]
    flash = thumbnail(frame_of(np.clip(frames[0] * 0.5 + 120, 0, 255).astype(np.uint8)))
    assert not is_cut(small[0], flash)
    assert not is_cut(small[0], thumbnail(frame_of(np.zeros_like(frames[0]))))
