"""WebP keeps what lies under alpha, and no profile that does not describe it."""

from __future__ import annotations

import numpy as np
from helpers import photo
from saving import ICC, frame_of, opened

from gpen_fast.stages.save.base import open_writer


def test_colour_under_alpha_is_kept_in_webp() -> None:
    array = photo(64, 64, channels=4)
    array[:, :32, 3] = 0
    read = np.asarray(opened(open_writer("webp").encode(frame_of(array), 95)))
    assert np.abs(read[:, :32, :3].astype(int) - array[:, :32, :3]).mean() < 8
    assert not read[:, :32, 3].any()


def test_webp_carries_no_profile_of_grey() -> None:
    grey = ICC[:16] + b"GRAY" + ICC[20:]
    frame = frame_of(photo(channels=1), icc=grey)
    assert opened(open_writer("png").encode(frame, 95)).info["icc_profile"] == grey
    assert "icc_profile" not in opened(open_writer("webp").encode(frame, 95)).info
