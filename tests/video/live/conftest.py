from __future__ import annotations

from pathlib import Path

import pytest
from clips import clip_pixels
from videos import Made, write_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = clip_pixels("pan", 20, 90)
    return write_video(tmp_path_factory.mktemp("clips") / "a.mp4", frames, Made(options={"crf": "20"}))
