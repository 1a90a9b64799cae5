"""Reports of runs: plain values, taken from what ran and from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpen_fast import __version__, plugins
from gpen_fast.detections.cache import DetectionWriter
from gpen_fast.device.memory import peak_bytes
from gpen_fast.device.precision import pick_precision
from gpen_fast.measure.advice import advise, frame_verdict
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.idle import network_idle
from gpen_fast.measure.memory import host_peak_bytes
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import CommandName, Report, VerdictName
from gpen_fast.measure.report_parts import (
    BetterChoice,
    LandmarksUse,
    MemoryPeaks,
    PassedOverFile,
    WeightsFile,
)
from gpen_fast.measure.report_rows import DeviceRow, IdleRow
from gpen_fast.measure.rows import stage_rows
from gpen_fast.measure.samples import process_samples
from gpen_fast.measure.spans import NS_PER_MS
from gpen_fast.measure.stats import DECIMALS, Summary, rounded, summarise
from gpen_fast.run.crew import WAITS
from gpen_fast.run.plan import Plan
from gpen_fast.run.planned import failed_inputs, input_notes, outcomes_of
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.tally import Tally
from gpen_fast.run.team import Team
from gpen_fast.stages.detect.base import is_fallback, passed_over
from gpen_fast.store.catalog import entry
from gpen_fast.store.hashes import sha256_of

# Stages of the device worker's thread. detect is one of them where the detector runs on the device.
_WORKER_STAGES = ("align", "crop", "generate", "paste")


def enhance_report(
    runtime: Runtime,
    work: Plan,
    tally: Tally,
    recorder: Recorder,
    wall_ms: float,
    team: Team,
    detection_writer: DetectionWriter | None,
) -> Report:
    """The report of a run of `enhance`.

    Args:
        runtime: What ran.
        work: What the run was to do.
        tally: What became of each picture.
        recorder: What the clock measured; its last events are harvested.
        wall_ms: Wall time of the whole run, milliseconds.
        team: Who restored. The numbers of readers and writers tell which part was busiest.
        detection_writer: What saved the faces that were found; None where that was not asked for.
    """
    total_ms = recorder.total_host_ms()
    made, not_done = what_ran("enhance", runtime, team.processes), len(work.todo) - tally.images
    any_failed = work.failed or tally.failed or tally.unwritten
    ending: VerdictName = (
        "interrupted" if not_done and not tally.halted else "some_failed" if any_failed else "all_done"
    )
    return replace(
        made,
        images=tally.images,
        faces=tally.faces,
        faces_kept=tally.faces_kept,
        images_kept=tally.images_kept,
        outcomes=outcomes_of(work, tally.outcomes),
        failed=failed_inputs([*work.failed, *tally.failed, *tally.unwritten]),
        notes=input_notes([*work.notes, *tally.notes]),
        no_face=[str(path) for path in tally.no_face],
        left_out=[str(path) for path in tally.left_out],
        faces_left_out=tally.faces_left_out,
        ignored=[str(path) for path in work.ignored],
        landmarks=_landmarks(runtime, detection_writer),
        not_done=not_done,
        first_call_ms=rounded(recorder.series["generate"].host.first),
        overlap_factor=rounded(total_ms / wall_ms) if tally.images else None,
        bound_by=_bound_by(runtime, recorder, team),
        devices=(devices := _devices(team, wall_ms)),
        scaling_efficiency=rounded(sum(each.busy for each in devices) / len(devices)) if devices else None,
        idle=idle_rows(runtime, recorder, team, wall_ms) if tally.images else [],
        stages=stage_rows(recorder, total_ms, aligned=runtime.settings.aligned, first_apart=True),
        wall_ms=_summary([wall_ms]),
        throughput_per_s=_throughput(tally.images, [wall_ms]),
        restored_per_s=_throughput(tally.outcomes["restored"], [wall_ms]) or None,
        verdict=ending,
        advice=[better.command for better in made.better],
    )


def profile_report(
    runtime: Runtime,
    recorder: Recorder,
    wall_ms: Sequence[float],
    *,
    faces: int,
    warmup: int,
    first_call_ms: float,
    target_fps: float,
) -> Report:
    """The report of a run of `profile`.

    Args:
        runtime: What ran.
        recorder: What the clock measured in the counted runs.
        wall_ms: Wall time of each counted run, milliseconds.
        faces: Faces restored in all counted runs.
        warmup: Runs before these, the first apart.
        first_call_ms: Wall time of the very first run, milliseconds.
        target_fps: Frames per second that count as live.
    """
    runs, total_ms = len(wall_ms), sum(wall_ms)
    made = replace(
        what_ran("profile", runtime),
        images=runs,
        faces=faces,
        warmup=warmup,
        runs=runs,
        first_call_ms=rounded(first_call_ms),
        first_result_ms=None if runtime.load_ms is None else rounded(runtime.load_ms + first_call_ms),
        stages=stage_rows(recorder, total_ms, aligned=runtime.settings.aligned, first_apart=False),
        wall_ms=_summary(wall_ms),
        unaccounted_ms=rounded((total_ms - recorder.total_host_ms()) / runs),
        throughput_per_s=_throughput(runs, wall_ms),
        target_fps=target_fps,
        processes=[process_samples(recorder, wall_ms)],
    )
    assert made.wall_ms is not None, "a profile has one run at least"
    return replace(made, verdict=frame_verdict(made.wall_ms.p95, target_fps), advice=[advise(made)])


def what_ran(command: CommandName, runtime: Runtime, processes: int = 0) -> Report:
    """A report that holds nothing but what ran, and what that took of memory.

    Args:
        command: The command that ran.
        runtime: What it ran with.
        processes: Processes that ran beside this one and have ended.
    """
    generator, load_ms = runtime.generator, runtime.load_ms
    peaks = MemoryPeaks(peak_bytes(runtime.device), host_peak_bytes(processes))
    return Report(
        command,
        __version__,
        device=device_facts(runtime.device),
        settings=_settings(runtime),
        precision_note=runtime.precision.note,
        half_precision=pick_precision("half", runtime.device).name,
        face_size=runtime.size,
        network_note=runtime.network_note,
        weights=_weights(runtime),
        better=_better(runtime),
        passed_over=_passed_over(runtime),
        commit=commit(),
        redone_in_fp32=generator.recomputed_fp32,
        backend_notes=list(generator.notes),
        memory=peaks,
        model_load_ms=rounded(load_ms),
    )


def _settings(runtime: Runtime) -> dict[str, object]:
    """Every setting, with what was picked in the place of `auto`."""
    return runtime.settings.as_flat() | {
        "model": runtime.model,
        "detector": runtime.detector.name,
        "backend": runtime.generator.backend.name,
        "precision": runtime.precision.name,
        "template": runtime.template,
        "batch_size": runtime.generator.batch_size,
    }


def _weights(runtime: Runtime) -> list[WeightsFile]:
    """The network's file, then the detector's where it has one."""
    network = WeightsFile(runtime.model, runtime.weights.sha256(), runtime.weights.random)
    path = runtime.detector.weights
    if path is None:
        return [network]
    return [network, WeightsFile(runtime.detector.name, sha256_of(path).sha256, random=False)]


def _better(runtime: Runtime) -> list[BetterChoice]:
    """What `auto` would rather have picked."""
    found = []
    if runtime.weights.better:
        found.append(BetterChoice("model", runtime.model, runtime.weights.better))
    picked = runtime.detector.name
    if runtime.settings.detect.detector == "auto" and is_fallback(picked):
        best = plugins.facts("detect")[plugins.automatic("detect")[0]].weights[0]
        found.append(BetterChoice("detector", picked, entry(best).get_it))
    return found


def _passed_over(runtime: Runtime) -> list[PassedOverFile]:
    """Files with the names of better detectors' weights and another content."""
    if runtime.settings.detect.detector != "auto":
        return []
    files = passed_over(runtime.settings.weights, runtime.detector.name)
    return [PassedOverFile(weights, str(path)) for weights, path in files.items()]


def _landmarks(runtime: Runtime, detection_writer: DetectionWriter | None) -> LandmarksUse | None:
    """How many pictures' faces were read from a file or saved to one; None where neither was asked for."""
    if not runtime.detection_cache and not detection_writer:
        return None
    use = LandmarksUse()
    if cache := runtime.detection_cache:
        use = LandmarksUse(str(cache.path), cache.hits, cache.misses, cache.incompatible, cache.unmatched)
    if detection_writer:
        use = replace(use, saved=detection_writer.written, saved_to=str(detection_writer.path))
    return use


def _bound_by(runtime: Runtime, recorder: Recorder, team: Team) -> str | None:
    """The busiest part of the run: the readers, the device worker, or the writers."""
    detect_ms = recorder.total_host_ms("detect")
    on_host = not detect_ms or runtime.detector.on_host
    busy_ms = {
        "readers": (recorder.total_host_ms("load") + (detect_ms if on_host else 0)) / team.readers,
        "device": (_worker_ms(recorder) + (0 if on_host else detect_ms)) / len(team.members),
        "writers": recorder.total_host_ms("save") / team.writers,
    }
    return max(busy_ms, key=lambda part: busy_ms[part]) if any(busy_ms.values()) else None


def _devices(team: Team, wall_ms: float) -> list[DeviceRow]:
    """What each device did; empty where there is one."""
    if len(team.members) < 2:
        return []
    return [
        DeviceRow(
            each.name,
            each.pictures,
            each.faces,
            round(max(0.0, (each.worked_ns - sum(each.waited_ns.values())) / NS_PER_MS / wall_ms), DECIMALS),
            each.error,
        )
        for each in team.members
    ]


def idle_rows(runtime: Runtime, recorder: Recorder, team: Team, wall_ms: float) -> list[IdleRow]:
    """What the network waited for; empty where it did not run."""
    if not recorder.series["generate"].count:
        return []
    waited_ms = {stage: sum(each.waited_ns[stage] for each in team.members) / NS_PER_MS for stage in WAITS}
    # A detector that no picture needed is not opened for this question.
    on_host = bool(recorder.series["detect"].count) and runtime.detector.on_host
    return [network_idle(recorder, wall_ms, len(team.members), waited_ms, readers_detect=on_host)]


def _worker_ms(recorder: Recorder) -> float:
    """The device worker's stages: on CUDA their host time may only be what queuing took."""
    series = [recorder.series[stage] for stage in _WORKER_STAGES]
    return sum(max(each.host.total, each.device.total) for each in series)


def _summary(wall_ms: Sequence[float]) -> Summary | None:
    summary = summarise(wall_ms)
    return summary.rounded() if summary else None


def _throughput(images: int, wall_ms: Sequence[float]) -> float | None:
    """Pictures per second of wall time; 0 where the clock saw no time pass."""
    seconds = sum(wall_ms) / 1e3
    return rounded(images / seconds if seconds else 0.0)
