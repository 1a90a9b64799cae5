"""Reports and spans with fixed values, and the published schema in a strict form."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

from jsonschema import Draft202012Validator

import gpen_fast.measure
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import (
    DeviceFacts,
    MemoryPeaks,
    WeightsFile,
)
from gpen_fast.measure.rows import stage_rows
from gpen_fast.measure.spans import RecordedSpan
from gpen_fast.measure.stats import Summary
from gpen_fast.settings import STAGES, Settings

SCHEMA_FILE = Path(gpen_fast.measure.__file__).with_name("report.schema.json")
_CPU = DeviceFacts("cpu", "cpu, 2 threads", "x86_64", 2, "2.11.0", None, "3.12.1")


def span_of(stage: str, ms: float, items: int = 1) -> RecordedSpan:
    """Returns the span of a call that began at 0 and took `ms` on the host."""
    ns = round(ms * 1e6)
    return RecordedSpan(stage, 0, ns, "MainThread", items, ns)


def recorder_of(**host_ms: float) -> Recorder:
    """One call of each named stage."""
    recorder = Recorder(seed=0)
    for stage, ms in host_ms.items():
        recorder.add(span_of(stage, ms))
    return recorder


def report_of(slowest: str = "generate", **changed: object) -> Report:
    """A report of `profile` on a CPU, two runs of 15 ms on average; `slowest` took 61 of 100 ms."""
    recorder = recorder_of(**{stage: 61.0 if stage == slowest else 6.5 for stage in STAGES})
    settings = Settings().as_flat() | {
        "model": "gpen-bfr-512", "detector": "lite", "backend": "folded", "precision": "fp32",
        "template": "gpen", "batch_size": 1,
    }  # fmt: skip
    report = Report(
        "profile",
        "0.1.0",
        device=_CPU,
        settings=settings,
        half_precision="bf16",
        face_size=512,
        weights=[WeightsFile("gpen-bfr-512", "0" * 64, random=False)],
        images=2,
        faces=2,
        warmup=1,
        runs=2,
        first_call_ms=50.0,
        unaccounted_ms=0.5,
        stages=stage_rows(recorder, 100.0, aligned=False, first_apart=False),
        wall_ms=Summary(15.0, 15.0, 19.5, 10.0, 20.0, 5.0),
        throughput_per_s=66.6667,
        memory=MemoryPeaks(None, 100 * 2**20),
        model_load_ms=20.0,
    )
    return replace(report, **changed)


def schema() -> dict[str, object]:
    """Returns the published schema."""
    return json.loads(SCHEMA_FILE.read_text())


def strict_schema() -> dict[str, object]:
    """The published schema, without room for keys that it does not explain, and with every key required."""
    strict = copy.deepcopy(schema())
    for kind in strict["$defs"].values():
        if "additionalProperties" not in kind and "properties" in kind:
            kind["additionalProperties"] = False
    strict["$defs"]["run"]["required"] = list(strict["$defs"]["run"]["properties"])
    return strict


def problems(document: object, by: dict[str, object]) -> list[str]:
    """Returns the violations of a schema in a document."""
    found = Draft202012Validator(by).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]
