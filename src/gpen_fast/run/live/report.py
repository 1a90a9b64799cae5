"""The report of a live run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gpen_fast.measure.advice import LiveVerdict
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import CommandName, Report
from gpen_fast.measure.report_parts import FailedInput, InputNote, LatencyFigures, LiveFigures
from gpen_fast.measure.report_rows import OUTCOMES
from gpen_fast.measure.rows import stage_rows
from gpen_fast.measure.stats import DECIMALS, rounded, summarise
from gpen_fast.run.live.steps import EVERY_SECOND, PASS_THROUGH
from gpen_fast.run.live.tally import LiveTally
from gpen_fast.run.report import what_ran
from gpen_fast.run.runtime import Runtime

# Shares of the target rate that count as kept, and of the time on a network's steps that count as live.
_RATE_KEPT, _NETWORK_KEPT = 0.95, 0.9


@dataclass(frozen=True)
class LivePromise:
    """What was promised, and of which source."""

    name: str
    """The source's name."""
    source_fps: float
    """Its frames per second, by its own account."""
    target_fps: float
    """Frames per second that were to be delivered."""
    max_latency_ms: float
    """Milliseconds from a frame's arrival until it is handed out that were allowed."""


def live_report(
    command: CommandName,
    runtime: Runtime,
    promise: LivePromise,
    tally: LiveTally,
    recorder: Recorder,
    wall_ms: float,
    lost: str,
) -> Report:
    """The report of a run of `live`, or of `profile --live`.

    Args:
        command: Which of them.
        runtime: What ran at the best step.
        promise: What was promised.
        tally: What was counted.
        recorder: What the clock measured; its last events are harvested.
        wall_ms: Wall time of the whole run, milliseconds.
        lost: Why the source ended early, as a sentence; empty where it did not.
    """
    total_ms, wall = recorder.total_host_ms(), summarise([wall_ms])
    word, sentence = live_verdict(promise, tally.fps, tally.latency(), tally.steps())
    failed = [FailedInput(promise.name, lost)] if lost else []
    note = f"some frames could not be restored and are as they were; the first because: {tally.first_error}"
    figures = LiveFigures(
        source_fps=round(promise.source_fps, DECIMALS),
        target_fps=round(promise.target_fps, DECIMALS),
        max_latency_ms=promise.max_latency_ms,
        delivered=tally.delivered,
        dropped=tally.dropped,
        fps=rounded(tally.fps),
        latency_ms=tally.latency(),
        steps=tally.steps(),
        verdict=sentence,
        duration_s=round(tally.seconds, DECIMALS),
        tracks=tally.tracks,
        unrestored=tally.unrestored,
    )
    return replace(
        what_ran(command, runtime),
        images=tally.delivered,
        faces=tally.faces,
        faces_kept=tally.kept,
        faces_left_out=tally.left_out,
        outcomes={**dict.fromkeys(OUTCOMES, 0), **_outcome(tally, failed=bool(lost))},
        failed=failed,
        notes=[InputNote(promise.name, note)] if tally.first_error else [],
        no_face=[promise.name] if tally.delivered and not tally.faces else [],
        first_call_ms=rounded(recorder.series["generate"].host.first),
        overlap_factor=rounded(total_ms / wall_ms) if tally.delivered else None,
        stages=stage_rows(recorder, total_ms, aligned=False, first_apart=True),
        wall_ms=wall.rounded() if wall else None,
        throughput_per_s=rounded(tally.fps),
        target_fps=promise.target_fps,
        live=figures,
        verdict=word,
    )


def live_verdict(
    promise: LivePromise, fps: float | None, latency: LatencyFigures | None, steps: Mapping[str, float]
) -> tuple[LiveVerdict, str]:
    """Whether a promise was kept: in one word, and in one sentence.

    Args:
        promise: What was promised.
        fps: Frames handed out per second; None where too few were.
        latency: Of the frames handed out; None where none was.
        steps: Quality step -> seconds on it.
    """
    if latency is None or fps is None:
        return "offline", "not live: too few frames arrived to tell."
    rate = f"{fps:.1f} frames a second of {promise.target_fps:g}"
    within = f"95 % of them within {latency.p95:.0f} ms of {promise.max_latency_ms:g} allowed"
    if fps < _RATE_KEPT * promise.target_fps or latency.p95 > promise.max_latency_ms:
        return "offline", f"not live: {rate}, {within}; {_shares(steps)}."
    network = sum(seconds for name, seconds in steps.items() if name not in (EVERY_SECOND, PASS_THROUGH))
    if network < _NETWORK_KEPT * sum(steps.values()):
        return "borderline", f"live only by stepping down: {rate}, {within}; {_shares(steps)}."
    return "live", f"live: {rate}, {within}; {_shares(steps)}."


def _shares(steps: Mapping[str, float]) -> str:
    """The steps with their shares of the time."""
    if len(steps) == 1:
        return f"all of the time on {next(iter(steps))}"
    whole = sum(steps.values()) or 1.0
    return "of the time " + ", ".join(f"{100 * took / whole:.0f} % on {name}" for name, took in steps.items())


def _outcome(tally: LiveTally, *, failed: bool) -> dict[str, int]:
    if failed or not tally.delivered:
        return {"failed": int(failed)}
    return {"restored": int(tally.faces > 0), "no_face": int(not tally.faces)}
