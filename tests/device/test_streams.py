"""Hand-overs between streams: plain on a CPU; on a GPU complete for the stream that reads them."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.device.streams import (
    AsyncHostCopy,
    own_stream,
    record_event,
    record_stream,
    synchronize,
    to_device,
    to_host,
    wait_event,
    worker_stream,
)

CPU = torch.device("cpu")


def test_on_a_cpu_everything_is_there_at_once() -> None:
    tensor = torch.arange(4)
    assert worker_stream(CPU) is None
    with own_stream(CPU, worker_stream(CPU)):
        assert to_device(tensor, CPU) is tensor
    assert record_event(CPU) is None
    wait_event(None, CPU)
    record_stream(tensor)
    synchronize(CPU)
    assert to_host(tensor) is tensor
    assert AsyncHostCopy(tensor).wait() is tensor


@pytest.mark.cuda
def test_a_copy_on_a_stream_of_its_own_is_complete_for_the_worker() -> None:
    device = torch.device("cuda", 0)
    serving = worker_stream(device)
    tensor = torch.arange(1 << 22)
    with own_stream(device, serving):
        assert worker_stream(device) != serving
        moved = to_device(tensor, device)
    assert worker_stream(device) == serving
    assert torch.equal(to_host(moved * 2), tensor * 2)


@pytest.mark.cuda
def test_another_stream_waits_for_an_event() -> None:
    device = torch.device("cuda", 0)
    x = torch.zeros(1 << 24, device=device)
    for _ in range(50):
        x += 1
    event = record_event(device)
    with torch.cuda.stream(torch.cuda.Stream(device)):
        wait_event(event, device)
        record_stream(x)
        assert float(to_host(x).min()) == 50


@pytest.mark.cuda
def test_a_host_copy_is_queued_at_once_and_complete_when_waited_for() -> None:
    x = torch.arange(8, device="cuda")
    copy = AsyncHostCopy(x)
    x += 1
    assert copy.wait().tolist() == list(range(8))
