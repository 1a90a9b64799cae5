"""Benchmarks for a GPU, tried without one: what is kept when time or memory ends, and what counts as memory."""

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
    """Their modules, which are no package."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import generator_gpu
    import gpu

    yield SimpleNamespace(generator=generator_gpu, gpu=gpu)
    for name in ("generator", "generator_gpu", "generator_rows", "gpu", "runtimes", "stages"):
        sys.modules.pop(name, None)


@pytest.fixture
def asked(benchmarks: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    monkeypatch.setattr(benchmarks.generator, "PUBLISHED", {"tiny": SimpleNamespace(config=TINY)})
    return argparse.Namespace(
        models=["tiny"], precisions=["fp32"], backends=["eager", "folded", "openvino"], batches=[1, 2],
        seconds=0.0, limit=1e9, no_errors=False,
    )  # fmt: skip


def measured(benchmarks: SimpleNamespace, asked: argparse.Namespace) -> tuple[list[dict], list[int]]:
    """The last report's rows, and how many rows each report had."""
    reports: list[list[dict[str, Any]]] = []
    benchmarks.generator.measure_all(
        asked, CPU, lambda models: reports.append(json.loads(json.dumps(models)))
    )
    rows = reports[-1][0]["rows"] if reports[-1] else []
    return rows, [len(report[0]["rows"]) if report else 0 for report in reports]


def test_rows_are_kept_one_by_one(benchmarks: SimpleNamespace, asked: argparse.Namespace) -> None:
    rows, kept = measured(benchmarks, asked)
    assert kept == list(range(5))
    assert [(row["backend"], row["batch"]) for row in rows] == [
        ("eager", 1), ("eager", 2), ("folded", 1), ("folded", 2)
    ]  # fmt: skip
    for row in rows:
        assert row["calls"] == 5
        assert row["times_eager_fp32"] > 0
        assert row["error"] <= 3e-6


def test_nothing_is_begun_after_the_limit(
    benchmarks: SimpleNamespace, asked: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.limit = -1.0
    assert measured(benchmarks, asked) == ([], [0])
    assert capsys.readouterr().out.count("(out of time)") == 4


def test_a_contestant_without_memory_costs_no_other(
    benchmarks: SimpleNamespace, asked: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = benchmarks.generator.open_backend

    def full(name: str, *given: Any) -> Any:
        if name == "folded":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried ...")
        return once(name, *given)

    monkeypatch.setattr(benchmarks.generator, "open_backend", full)
    rows, _ = measured(benchmarks, asked)
    assert {row["backend"] for row in rows} == {"eager"}


def test_memory_is_what_the_first_calls_hold_beside_weights_and_input(
    benchmarks: SimpleNamespace, asked: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call holds most: it captures."""
    memory = SimpleNamespace(held=1000, peak=9999, calls=0)

    def called(faces: Tensor) -> Tensor:
        memory.calls += 1
        memory.peak = max(memory.peak, memory.held + (700 if memory.calls == 1 else 50))
        return faces

    def opened(name: str, *given: Any) -> Any:
        memory.held += 300 if name == "folded" else 0
        return called if name == "folded" else (lambda faces: faces)

    monkeypatch.setattr(benchmarks.generator, "open_backend", opened)
    monkeypatch.setattr(benchmarks.generator, "allocated_bytes", lambda device: memory.held)
    monkeypatch.setattr(benchmarks.generator, "peak_bytes", lambda device: memory.peak)
    monkeypatch.setattr(
        benchmarks.generator, "reset_peak", lambda device: setattr(memory, "peak", memory.held)
    )
    asked.backends, asked.precisions, asked.batches = ["folded"], ["fp32"], [1]
    [row], _ = measured(benchmarks, asked)
    assert (row["weights_bytes"], row["activation_bytes"]) == (300, 700)


def test_a_part_that_fails_or_hangs_costs_no_other(
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
    monkeypatch.setattr(benchmarks.gpu, "pick_device", lambda asked: CPU)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--results", str(tmp_path)])
    assert benchmarks.gpu.main() == 1
    made = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert [(each["name"], each["status"]) for each in made] == [("fails", 3), ("hangs", None), ("works", 0)]
