"""Timing events on a device's stream."""

from __future__ import annotations

from collections.abc import Callable

import torch


class StreamEvent:
    """A timing event on `device`'s current stream, also where that is not the thread's current device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._event = torch.cuda.Event(enable_timing=True)

    def record(self) -> None:
        """Marks the stream's present end."""
        self._event.record(torch.cuda.current_stream(self._device))

    def query(self) -> bool:
        """Whether the stream has passed the mark."""
        return self._event.query()

    def synchronize(self) -> None:
        """Waits until it has."""
        self._event.synchronize()

    def elapsed_time(self, end: StreamEvent) -> float:
        """Milliseconds from this mark to `end`."""
        return self._event.elapsed_time(end._event)


def event_maker(device: torch.device) -> Callable[[], StreamEvent] | None:
    """How to make timing events for `device`; None where there is nothing to time but the host."""
    return (lambda: StreamEvent(device)) if device.type == "cuda" else None
