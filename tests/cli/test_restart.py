"""One new start after the device has failed."""

from __future__ import annotations

import os
import sys

import pytest

from gpen_fast.cli import restart
from gpen_fast.errors import DeviceError


def test_the_process_starts_itself_once_with_the_same_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[str, list[str]]] = []
    monkeypatch.delenv(restart.RESTARTED, raising=False)
    monkeypatch.setattr(os, "execv", lambda path, arguments: calls.append((path, arguments)))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "gpen_fast", "enhance", "in", "out"])
    monkeypatch.setitem(os.environ, restart.RESTARTED, "")
    for _ in range(2):
        restart.start_again(DeviceError("the GPU failed in generate (lost)."), 77)
    assert calls == [(sys.executable, [sys.executable, "-m", "gpen_fast", "enhance", "in", "out"])]
    assert os.environ[restart.RESTARTED] == "77"
    assert capsys.readouterr().err.startswith("the GPU failed in generate (lost). Starting once more")
