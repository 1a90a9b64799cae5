"""`video` without its command line: restores the videos of a plan and reports what became of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from gpen_fast.device.memory import reset_peak
from gpen_fast.errors import DeviceError, GpenError, reason
from gpen_fast.measure.export.trace import Timeline
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.run.guard import FULL_DISK
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.tracing import counters_on, memory_gauge, traced_clock
from gpen_fast.run.video.counts import FACES
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.run.video.plan import VideoPlan
from gpen_fast.run.video.report import video_report
from gpen_fast.run.video.restore import FrameProgress, VideoResult, VideoRun
from gpen_fast.run.walk import Told
from gpen_fast.settings import VIDEO_STAGES, VideoOptions


class VideoProgress(FrameProgress, Protocol):
    """Is told how a run advances."""

    def end(self, row: PictureRow) -> None:
        """One video has come to its end."""


def run_videos(
    runtimes: Sequence[Runtime],
    plan: VideoPlan,
    options: VideoOptions,
    progress: VideoProgress,
    stopped: threading.Event | None = None,
    timeline: Timeline | None = None,
) -> Report:
    """Restores the videos of a plan, one after the other.

    Args:
        runtimes: What restores, one for each device.
        plan: What is to be restored.
        options: How videos are read and written.
        progress: Is told of each frame and each video, in the calling thread.
        stopped: Once it is set, no further frame is decoded; what is done is kept for the next run.
        timeline: Is told of every call; frames are counted from the first that the run restores of a film.

    Returns:
        What became of each video. A full disk ends the run: the video in hand has failed, those to come are not done.

    Raises:
        DeviceError: The device failed. Whole segments are kept.
    """
    stopped = stopped or threading.Event()
    recorder = Recorder(stages=VIDEO_STAGES, sink=timeline)
    clocks = [traced_clock(each, recorder) for each in runtimes]
    for each in runtimes:
        reset_peak(each.device)
    pipelines = [FramePipeline(each, clock) for each, clock in zip(runtimes, clocks, strict=True)]
    run = VideoRun(pipelines, clocks[0], options, stopped, progress)
    results: list[tuple[VideoItem, VideoResult]] = []
    failed: Told = []
    start = time.perf_counter_ns()
    with counters_on(timeline, [partial(memory_gauge, *runtimes)]):
        _restore_all(run, plan, progress, stopped, results, failed)
    wall = (time.perf_counter_ns() - start) / NS_PER_MS
    for clock in clocks:
        clock.finish()
    return video_report(runtimes[0], plan, results, failed, recorder, wall, interrupted=stopped.is_set())


def _restore_all(
    run: VideoRun,
    plan: VideoPlan,
    progress: VideoProgress,
    stopped: threading.Event,
    results: list[tuple[VideoItem, VideoResult]],
    failed: Told,
) -> None:
    """Restores the films one after the other; a full disk ends it."""
    for item in plan.todo:
        if stopped.is_set():
            break
        try:
            result = run.restore(item)
        except DeviceError:
            raise
        except (GpenError, OSError) as error:
            full = isinstance(error, OSError) and error.errno in FULL_DISK
            failed.append((item.source, _full_disk(error) if full else reason(error, item.source)))
            progress.end(PictureRow(str(item.source), None, "failed", error=failed[-1][1]))
            if full:
                break  # the videos to come would be restored for nothing
            continue
        results.append((item, result))
        progress.end(_row(item, result))


def _full_disk(error: GpenError | OSError) -> str:
    words = FULL_DISK[error.errno or 0] if isinstance(error, OSError) else ""
    return (
        f"{words}. What is restored is kept beside the output, in whole segments: make room and run the same command "
        "again, which continues after them."
    )


def _row(item: VideoItem, result: VideoResult) -> PictureRow:
    faces = result.counts.get(FACES, 0)
    outcome = ("restored" if faces else "no_face") if result.finished else "not_done"
    return PictureRow(
        str(item.source),
        str(item.target) if result.finished else None,
        outcome,  # type: ignore[arg-type]  # one of three literals
        faces,
        note=" ".join(result.notes),
        error=result.cut_off,
    )
