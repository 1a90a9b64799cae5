"""The report of a run of `video`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import BeforeAfter, VideoFigures
from gpen_fast.measure.report_rows import OUTCOMES
from gpen_fast.measure.rows import stage_rows
from gpen_fast.measure.stats import rounded, summarise
from gpen_fast.run.planned import failed_inputs, input_notes
from gpen_fast.run.report import what_ran
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.video.counts import FACES, FAILED, KEPT, LEFT_OUT, TRACKS, summed
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.plan import VideoPlan
from gpen_fast.run.video.restore import VideoResult
from gpen_fast.run.walk import Told
from gpen_fast.video.score import scores_of

# Digits after the decimal point of a score: jitter is some thousandths of the eye distance.
_DIGITS = 5


def video_report(
    runtime: Runtime,
    plan: VideoPlan,
    results: Sequence[tuple[VideoItem, VideoResult]],
    failed: Told,
    recorder: Recorder,
    wall_ms: float,
    *,
    interrupted: bool,
) -> Report:
    """The report of a run of `video`.

    Args:
        runtime: What ran.
        plan: What the run was to do.
        results: What became of the videos that did not fail.
        failed: Those that failed, each with its reason.
        recorder: What the clock measured; its last events are harvested.
        wall_ms: Wall time of the whole run, milliseconds.
        interrupted: The user ended the run.
    """
    counts = summed(result.counts for _, result in results)
    figures = video_figures([result for _, result in results], wall_ms)
    total_ms, wall = recorder.total_host_ms(), summarise([wall_ms])
    cut_off = [(item.source, result.cut_off) for item, result in results if result.cut_off]
    not_done = len(plan.todo) - len(failed) - sum(result.finished for _, result in results)
    any_failed = plan.failed or failed or cut_off
    outcomes: dict[str, int] = {**dict.fromkeys(OUTCOMES, 0)}
    outcomes |= {
        "restored": sum(result.finished and bool(result.counts.get(FACES)) for _, result in results),
        "no_face": sum(result.finished and not result.counts.get(FACES) for _, result in results),
        "skipped": len(plan.skipped),
        "ignored": len(plan.ignored),
        "failed": len(plan.failed) + len(failed),
    }
    return replace(
        what_ran("video", runtime),
        images=figures.frames_out,
        faces=counts[FACES],
        faces_kept=counts[KEPT],
        faces_left_out=counts[LEFT_OUT],
        outcomes=outcomes,
        failed=failed_inputs([*plan.failed, *failed, *cut_off]),
        notes=input_notes([*plan.notes, *_told(results)]),
        no_face=[str(item.source) for item, result in results if not result.counts.get(FACES)],
        ignored=[str(path) for path in plan.ignored],
        not_done=not_done,
        first_call_ms=rounded(recorder.series["generate"].host.first),
        overlap_factor=rounded(total_ms / wall_ms) if figures.frames_out else None,
        stages=stage_rows(recorder, total_ms, aligned=False, first_apart=True),
        wall_ms=wall.rounded() if wall else None,
        throughput_per_s=figures.fps,
        video=_scored(replace(figures, frames_unrestored=counts[FAILED]), counts),
        verdict="interrupted" if not_done and interrupted else "some_failed" if any_failed else "all_done",
    )


def video_figures(results: Sequence[VideoResult], wall_ms: float) -> VideoFigures:
    """Frames, seconds and speed of all videos together."""
    frames = sum(result.frames_out for result in results)
    done_now = frames - sum(result.resumed for result in results)
    return VideoFigures(
        frames_in=sum(result.frames_in for result in results),
        frames_out=frames,
        frames_resumed=sum(result.resumed for result in results),
        duration_s=round(sum(result.seconds for result in results), 4),
        fps=rounded(done_now / (wall_ms / 1e3)) if wall_ms else None,
    )


def _scored(figures: VideoFigures, counts: Counter[str]) -> VideoFigures:
    """The figures with what was measured along the tracks, if faces were followed."""
    if TRACKS not in counts:
        return figures
    flicker, jitter = (
        BeforeAfter(round(each[0], _DIGITS), round(each[1], _DIGITS)) if each else None
        for each in scores_of(counts)
    )
    return replace(figures, tracks=counts[TRACKS], flicker=flicker, jitter=jitter)


def _told(results: Sequence[tuple[VideoItem, VideoResult]]) -> Told:
    return [(item.source, note) for item, result in results for note in result.notes]
