"""What figures depend on beside the settings."""

from __future__ import annotations

import platform
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from gpen_fast.measure import environment
from gpen_fast.measure.environment import commit, device_facts, processor_name


def test_facts_of_a_cpu() -> None:
    facts = device_facts(torch.device("cpu"))
    assert (facts.type, facts.cuda) == ("cpu", None)
    assert facts.name == f"cpu, {torch.get_num_threads()} threads"
    assert (facts.torch, facts.python) == (torch.__version__, platform.python_version())


def test_commit_has_a_hash() -> None:
    assert commit() is None or len(commit()) >= 7


def test_commit_of_another_repository_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    for place, wanted in ((".venv/lib/gpen_fast", None), ("src/gpen_fast", "asked")):
        monkeypatch.setattr(environment, "__file__", str(tmp_path / place / "measure/environment.py"))
        monkeypatch.setattr(
            environment.subprocess, "run", lambda *given, **options: SimpleNamespace(stdout="asked\n")
        )
        assert commit() == wanted


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "src/gpen_fast/measure/environment.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit() is None


def test_the_processor_is_told_by_its_name() -> None:
    info = Path("/proc/cpuinfo")
    name = processor_name()
    assert name
    if info.exists() and "model name\t" in info.read_text():
        assert f"model name\t: {name}\n" in info.read_text()
    else:
        assert name in (platform.processor(), platform.machine())
