"""The benchmarks for a GPU, run without one: rows survive a lack of time or memory, and memory is counted right."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import ROOT, TINY
from torch import Tensor

CPU = torch.device("cpu")


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Imports the benchmark modules, which are not part of a package."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import generator_gpu
    import gpu

    yield SimpleNamespace(generator=generator_gpu, gpu=gpu)
    for name in ("generator", "generator_gpu", "generator_rows", "gpu", "runtimes", "stages"):
        sys.modules.pop(name, None)


@pytest.fixture
def options(benchmarks: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    monkeypatch.setattr(benchmarks.generator, "PUBLISHED", {"tiny": SimpleNamespace(config=TINY)})
    return argparse.Namespace(
        models=["tiny"], precisions=["fp32"], backends=["eager", "folded", "openvino"], batches=[1, 2],
        seconds=0.0, limit=1e9, no_errors=False,
    )  # fmt: skip


def measured(benchmarks: SimpleNamespace, options: argparse.Namespace) -> tuple[list[dict], list[int]]:
    """Returns the rows of the last report, and the number of rows in each report."""
    reports: list[list[dict[str, Any]]] = []
    benchmarks.generator.measure_all(
        options, CPU, lambda models: reports.append(json.loads(json.dumps(models)))
    )
    rows = reports[-1][0]["rows"] if reports[-1] else []
    return rows, [len(report[0]["rows"]) if report else 0 for report in reports]


def test_report_is_written_after_each_row(benchmarks: SimpleNamespace, options: argparse.Namespace) -> None:
    rows, kept = measured(benchmarks, options)
    assert kept == list(range(5))
    assert [(row["backend"], row["batch"]) for row in rows] == [
        ("eager", 1), ("eager", 2), ("folded", 1), ("folded", 2)
    ]  # fmt: skip
    for row in rows:
        assert row["calls"] == 5
        assert row["times_eager_fp32"] > 0
        assert row["error"] <= 3e-6


def test_no_row_begins_after_the_time_limit(
    benchmarks: SimpleNamespace, options: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    options.limit = -1.0
    assert measured(benchmarks, options) == ([], [0])
    assert capsys.readouterr().out.count("(out of time)") == 4


def test_out_of_memory_skips_only_that_contestant(
    benchmarks: SimpleNamespace, options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = benchmarks.generator.open_backend

    def out_of_memory(name: str, *rest: Any) -> Any:
        if name == "folded":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried ...")
        return original(name, *rest)

    monkeypatch.setattr(benchmarks.generator, "open_backend", out_of_memory)
    rows, _ = measured(benchmarks, options)
    assert {row["backend"] for row in rows} == {"eager"}


def test_activation_bytes_are_the_peak_of_the_first_calls_less_weights_and_input(
    benchmarks: SimpleNamespace, options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call takes the most memory, because it captures."""
    memory = SimpleNamespace(allocated=1000, peak=9999, calls=0)

    def called(faces: Tensor) -> Tensor:
        memory.calls += 1
        memory.peak = max(memory.peak, memory.allocated + (700 if memory.calls == 1 else 50))
        return faces

    def opened(name: str, *rest: Any) -> Any:
        memory.allocated += 300 if name == "folded" else 0
        return called if name == "folded" else (lambda faces: faces)

    monkeypatch.setattr(benchmarks.generator, "open_backend", opened)
    monkeypatch.setattr(benchmarks.generator, "allocated_bytes", lambda device: memory.allocated)
    monkeypatch.setattr(benchmarks.generator, "peak_bytes", lambda device: memory.peak)
    monkeypatch.setattr(
        benchmarks.generator, "reset_peak", lambda device: setattr(memory, "peak", memory.allocated)
    )
    options.backends, options.precisions, options.batches = ["folded"], ["fp32"], [1]
    [row], _ = measured(benchmarks, options)
    assert (row["weights_bytes"], row["activation_bytes"]) == (300, 700)


def test_a_part_that_fails_or_hangs_does_not_stop_the_others(
    benchmarks: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    part = benchmarks.gpu.Part
    parts = (
        part("fails", ("-c", "raise SystemExit(3)"), 60),
        part("hangs", ("-c", "import time; time.sleep(300)"), 1),
        part("works", ("-c", ""), 60),
    )
    assert sum(each.limit for each in benchmarks.gpu.PARTS) < 580
    monkeypatch.setattr(benchmarks.gpu, "PARTS", parts)
    monkeypatch.setattr(benchmarks.gpu, "pick_device", lambda name: CPU)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--results", str(tmp_path)])
    assert benchmarks.gpu.main() == 1
    parts_run = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert [(each["name"], each["status"]) for each in parts_run] == [
        ("fails", 3),
        ("hangs", None),
        ("works", 0),
    ]
