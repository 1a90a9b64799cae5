"""What a process sends to its parent."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from lane_runs import lanes_of, saved
from runs import error_of, pictures

from gpen_fast.errors import GenerateError
from gpen_fast.run.job import Finished, Pasted, numbered
from gpen_fast.run.runtime import Runtime

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="several processes on a CPU need fork")


def test_an_error_that_cannot_be_sent_keeps_its_text(runtime: Runtime, tmp_path: Path) -> None:
    class OddError(Exception):
        """Pickle finds no such class: it is local."""

    def odd(picture: Pasted) -> Finished:
        raise OddError("the writer is odd")

    (done,) = lanes_of(runtime, odd).run(numbered(pictures(tmp_path, 1)))
    assert isinstance(error_of(done), GenerateError)
    assert "the writer is odd" in str(error_of(done))


def test_waits_for_readers_and_writers_are_told(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_disk(picture: Pasted) -> Finished:
        time.sleep(0.1)
        return saved(tmp_path)(picture)

    lanes = lanes_of(runtime, slow_disk)
    assert len(list(lanes.run(numbered(pictures(tmp_path, 16))))) == 16
    waited = sum(member.waited_ns["save"] for member in lanes.members)
    assert waited > 0.3e9, "0.8 s of writing in each process, of which the last part is waited for"
