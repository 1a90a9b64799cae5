"""Timing events on a GPU's stream; none on a CPU."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.device.events import event_maker


def test_a_cpu_has_no_events() -> None:
    assert event_maker(torch.device("cpu")) is None


@pytest.mark.cuda
def test_two_events_measure_the_work_between_them() -> None:
    make = event_maker(torch.device("cuda", 0))
    assert make is not None
    start, end = make(), make()
    start.record()
    x = torch.randn(2048, 2048, device="cuda")
    for _ in range(10):
        x = x @ x / 2048
    end.record()
    end.synchronize()
    assert start.query()
    assert end.query()
    assert start.elapsed_time(end) > 0
