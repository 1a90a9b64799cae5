"""The generator's benchmark runs, and prints what it left out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from helpers import ROOT


def test_generator_benchmark_measures_and_writes_a_report(tmp_path: Path) -> None:
    report = tmp_path / "generator.json"
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "generator.py"),
        "--device",
        "cpu",
        "--seconds",
        "0.1",
    ]
    command += [
        "--models",
        "gpen-lite-256",
        "--backends",
        "folded",
        "onnxruntime",
        "--precisions",
        "fp32",
        "tf32",
    ]
    done = subprocess.run([*command, "--batches", "2", "--json", str(report)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # This contestant is refused with and without ONNX Runtime.
    assert "left out: gpen-lite-256 onnxruntime tf32 batch 2 (" in done.stdout
    written = json.loads(report.read_text())
    assert written["schema"] == 1
    assert written["device"]["type"] == "cpu"
    [model] = written["models"]
    assert model["gflop"] == 2.56
    base, folded = model["rows"][:2]
    assert (base["backend"], base["precision"], base["batch"], base["times_eager_fp32"]) == (
        "eager",
        "fp32",
        1,
        1.0,
    )
    assert (folded["backend"], folded["batch"]) == ("folded", 2)
    for row in model["rows"]:
        assert row["calls"] >= 3
        assert 0 < row["ms_a_face"]["min"] <= row["ms_a_face"]["median"] <= row["ms_a_face"]["p95"]
    assert folded["error"] <= 3e-6
