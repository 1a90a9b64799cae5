"""A runtime of a small network, short clips, and runs of `video` over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from clips import clip_pixels
from videos import Made, write_video

from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.run import run_videos
from gpen_fast.settings import Settings, VideoOptions

FFV1 = Made("ffv1", "yuv420p10le", options={"level": "3", "g": "1"}, colour=(1, 1, 1, 1))


class SilentVideo:
    """Keeps what it is told."""

    def __init__(self, each_frame: Callable[[int], None] = lambda number: None) -> None:
        self.begun: list[tuple[int, int]] = []
        self.rows: list[PictureRow] = []
        self.frames = 0
        self._each_frame = each_frame

    def begin(self, name: Path, frames: int, done: int) -> None:
        self.begun.append((frames, done))

    def frame(self) -> None:
        self.frames += 1
        self._each_frame(self.frames)

    def end(self, row: PictureRow) -> None:
        self.rows.append(row)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, tiny_weights: Path) -> Runtime:
    """The project's own detector, and a network of 64 pixels."""
    return load_runtime(
        Settings.from_flat(
            weights=str(tiny_weights), detector="lite", precision="fp32", keep_detail=0.0, deterministic=True
        )
    )


@pytest.fixture
def run(small: Runtime):
    """Restores videos; returns the report and what the progress was told."""

    def restore(
        *paths: Path,
        progress: SilentVideo | None = None,
        runtime: Runtime | None = None,
        **options: object,
    ) -> tuple[Report, SilentVideo]:
        told = progress or SilentVideo()
        chosen = VideoOptions(**{"temporal": 0.0, **options})  # type: ignore[arg-type]
        plan = plan_videos([str(path) for path in paths[:-1]], paths[-1], chosen)
        return run_videos([runtime or small], plan, chosen, told), told

    return restore


@pytest.fixture(scope="session")
def deep_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames of 10 bits with a face, without loss."""
    path = tmp_path_factory.mktemp("clips") / "deep.mkv"
    return write_video(path, clip_pixels("pan", 8, 180, blur=1.0, noise=3.0), FFV1)
