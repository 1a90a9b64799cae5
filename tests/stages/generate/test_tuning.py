"""`--batch-size auto`: what is measured, when it ends, and that it is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from gpen_fast.stages.generate import tuning
from gpen_fast.stages.generate.tuning import fastest, tuned_batch_size

CPU = torch.device("cpu")


def test_the_size_from_which_on_more_gains_little() -> None:
    assert fastest(lambda batch: 10.0 + batch) == 64, "each doubling gains more than 3%"
    assert fastest(lambda batch: float(batch)) == 1, "one by one is as fast"
    assert fastest(lambda batch: max(8.0, batch)) == 8
    assert fastest(lambda batch: None if batch > 4 else 1.0) == 4, "no memory for more"


def test_measuring_ends_once_two_larger_sizes_gained_nothing() -> None:
    tried: list[int] = []
    fastest(lambda batch: tried.append(batch) or float(batch))
    assert tried == [1, 2, 4]


class CountingBackend:
    """Takes no time, and has memory for two faces."""

    name, size, default_batch = "counting", 4, 1

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, faces: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if len(faces) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return faces

    def exact(self, faces: torch.Tensor) -> torch.Tensor:
        return faces


def test_the_size_is_measured_once_for_a_device_and_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "user_cache", lambda: tmp_path)
    backend = CountingBackend()
    size = tuned_batch_size(backend, CPU, "network A fp32")
    assert size in (1, 2)
    measured = backend.calls
    assert measured >= 4
    assert tuned_batch_size(backend, CPU, "network A fp32") == size
    assert backend.calls == measured, "it was read"
    tuned_batch_size(backend, CPU, "network A bf16")
    assert backend.calls > measured, "another precision is measured"
    assert len(json.loads((tmp_path / "batch-sizes.json").read_text())) == 2


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b"}', "not json"])
def test_a_damaged_cache_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(tuning, "user_cache", lambda: tmp_path)
    (tmp_path / "batch-sizes.json").write_text(content)
    assert tuned_batch_size(CountingBackend(), CPU, "network") in (1, 2)


def test_a_failure_other_than_memory_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(CountingBackend):
        def __call__(self, faces: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("broken")

    monkeypatch.setattr(tuning, "user_cache", lambda: tmp_path)
    with pytest.raises(RuntimeError, match="broken"):
        tuned_batch_size(Broken(), CPU, "network")
