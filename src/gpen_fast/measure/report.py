"""What a run measured, as the values that tables show and `--json` writes."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from gpen_fast import __version__
from gpen_fast.device.memory import peak_bytes
from gpen_fast.device.select import describe
from gpen_fast.errors import InputsError, reason
from gpen_fast.files import write_file
from gpen_fast.measure.memory import host_peak_bytes
from gpen_fast.measure.recorder import Recorder, Series
from gpen_fast.measure.stats import Summary, summarise
from gpen_fast.run.plan import Plan
from gpen_fast.run.runtime import Runtime
from gpen_fast.settings import STAGES
from gpen_fast.store.hashes import sha256_of

SCHEMA = 1
SKIPPED_WHEN_ALIGNED = frozenset({"detect", "align", "paste"})
OUTCOMES = ("restored", "no_face", "ignored", "skipped", "failed")


@dataclass(frozen=True)
class StageRow:
    """One stage: calls, what went through, and its times. share: 0..1."""

    name: str
    count: int
    items: int
    device: Summary | None
    host: Summary | None
    share: float
    skipped: bool = False


@dataclass(frozen=True)
class Report:
    """One run of `enhance` or `profile`. Times in milliseconds; None where there is nothing to tell."""

    command: str
    runtime: Runtime
    stages: list[StageRow]
    wall: list[float]
    images: int
    faces: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[tuple[Path, str]] = field(default_factory=list)
    no_face: list[Path] = field(default_factory=list)
    landmarks: Mapping[str, Any] = field(default_factory=dict)
    not_done: int = 0
    first_call_ms: float | None = None
    unaccounted_ms: float | None = None
    overlap_factor: float | None = None
    bound_by: str | None = None
    warmup: int | None = None
    runs: int | None = None

    @property
    def wall_summary(self) -> Summary:
        """Of the counted runs' wall time, or of the one run's."""
        summary = summarise(self.wall)
        assert summary is not None
        return summary

    @property
    def throughput(self) -> float:
        """Pictures per second of wall time."""
        return self.images * 1e3 / sum(self.wall) if sum(self.wall) else 0.0

    @property
    def slowest(self) -> StageRow:
        """The stage with the largest share."""
        return max(self.stages, key=lambda row: row.share)


def stage_rows(recorder: Recorder, whole_ms: float, *, aligned: bool, first_apart: bool) -> list[StageRow]:
    """One row per stage; `whole_ms` is what the shares are of."""
    return [
        _row(
            stage,
            recorder.series[stage],
            whole_ms,
            aligned and stage in SKIPPED_WHEN_ALIGNED,
            int(first_apart),
        )
        for stage in STAGES
    ]


def _row(stage: str, series: Series, whole_ms: float, skipped: bool, skip: int) -> StageRow:
    share = sum(series.host) / whole_ms if whole_ms else 0.0
    return StageRow(
        stage,
        series.count,
        series.items,
        series.device_summary(skip),
        series.host_summary(skip),
        share,
        skipped,
    )


def as_dict(report: Report) -> dict[str, Any]:
    """The report by the published schema, ready for JSON."""
    runtime = report.runtime
    return {
        "schema": SCHEMA,
        "command": report.command,
        "version": __version__,
        "device": device_facts(runtime.device),
        "settings": runtime.settings.as_flat()
        | {
            "model": runtime.model,
            "detector": runtime.detector.name,
            "backend": runtime.generator.backend.name,
            "precision": runtime.precision.name,
            "template": runtime.template,
            "batch_size": runtime.generator.batch_size,
        },
        "weights": _weights(runtime),
        "commit": commit(),
        "images": report.images,
        "faces": report.faces,
        "redone_in_fp32": runtime.generator.recomputed_fp32,
        "backend_notes": runtime.generator.notes,
        "outcomes": {name: report.outcomes.get(name, 0) for name in OUTCOMES},
        "failed": [{"path": str(path), "error": error} for path, error in report.failed],
        "notes": [{"path": str(path), "note": note} for path, note in report.notes],
        "no_face": [str(path) for path in report.no_face],
        "landmarks": dict(report.landmarks) or None,
        "not_done": report.not_done,
        "warmup": report.warmup,
        "runs": report.runs,
        "first_call_ms": _rounded(report.first_call_ms),
        "overlap_factor": _rounded(report.overlap_factor),
        "bound_by": report.bound_by,
        "stages": [_stage_dict(row) for row in report.stages],
        "wall_ms": report.wall_summary.as_dict(),
        "unaccounted_ms": _rounded(report.unaccounted_ms),
        "throughput_per_s": _rounded(report.throughput),
        "memory": {"device_peak_bytes": peak_bytes(runtime.device), "host_peak_bytes": host_peak_bytes()},
        "model_load_ms": _rounded(runtime.load_ms),
    }


def _weights(runtime: Runtime) -> list[dict[str, Any]]:
    """The network's, then the detector's where it has any."""
    network = {"name": runtime.model, "sha256": runtime.weights.sha256(), "random": runtime.weights.random}
    detector, path = runtime.detector.name, runtime.detector.weights
    if path is None:
        return [network]
    return [network, {"name": detector, "sha256": sha256_of(path).sha256, "random": False}]


def nothing_done(work: Plan) -> dict[str, Any]:
    """`enhance`'s report where nothing was left to restore: what ran and what it took are null."""
    counts = {"skipped": len(work.skipped), "ignored": len(work.ignored), "failed": len(work.failed)}
    unknown = "device settings weights commit warmup runs first_call_ms overlap_factor bound_by wall_ms"
    unknown += " unaccounted_ms throughput_per_s memory model_load_ms"
    return {
        "schema": SCHEMA,
        "command": "enhance",
        "version": __version__,
        "images": 0,
        "faces": 0,
        "outcomes": {name: counts.get(name, 0) for name in OUTCOMES},
        "failed": [{"path": str(path), "error": error} for path, error in work.failed],
        "notes": [{"path": str(path), "note": note} for path, note in work.notes],
        "stages": [],
        **dict.fromkeys(unknown.split()),
    }


def write_json(made: Mapping[str, Any], path: Path) -> None:
    """A report as a JSON file. InputsError where it cannot be written."""
    try:
        write_file(path, (json.dumps(made, indent=2) + "\n").encode())
    except OSError as cause:
        raise InputsError(f"--json {path}: cannot be written: {reason(cause, path)}.") from cause


def device_facts(device: torch.device) -> dict[str, Any]:
    """What ran it, as far as figures depend on it."""
    return {
        "type": device.type,
        "name": describe(device),
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "python": platform.python_version(),
    }


def commit() -> str | None:
    """The commit of the checkout that the package runs from; None where it is installed."""
    package = Path(__file__).parents[1]
    root = package.parents[1]
    # A package installed below somebody's own repository must not report that one's commit.
    if package.parent.name != "src" or not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _stage_dict(row: StageRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "count": row.count,
        "items": row.items,
        "skipped": row.skipped,
        "device_ms": row.device.as_dict() if row.device else None,
        "host_ms": row.host.as_dict() if row.host else None,
        "share": round(row.share, 4),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
