"""A file that plays at its own speed."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from clips import clip_pixels
from videos import Made, write_video

from gpen_fast.errors import VideoError
from gpen_fast.video.live.source import open_source


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(
        tmp_path_factory.mktemp("clips") / "a.mkv", clip_pixels("pan", 6, 90), Made("ffv1", "bgr0")
    )


def test_frames_arrive_when_their_time_has_come(clip: Path) -> None:
    begun = time.perf_counter()
    arrivals = list(open_source(str(clip)))
    assert time.perf_counter() - begun >= 0.19
    gaps = [later.arrived - one.arrived for one, later in itertools.pairwise(arrivals)]
    assert gaps == pytest.approx([0.04] * 5, abs=1e-6)


def test_closing_ends_it(clip: Path) -> None:
    source = open_source(str(clip), paced=False)
    assert len(list(source)) == 6
    closed = open_source(str(clip))
    closed.close()
    assert list(closed) == []


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such file"):
        open_source(str(tmp_path / "absent.mp4"))
