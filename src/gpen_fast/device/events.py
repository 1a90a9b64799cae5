"""Timing events on a device's stream."""

from __future__ import annotations

from collections.abc import Callable

import torch


class StreamEvent:
    """A timing event on the current stream of `device`, which need not be the thread's current device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._event = torch.cuda.Event(enable_timing=True)

    def record(self) -> None:
        """Marks the stream's present end."""
        self._event.record(torch.cuda.current_stream(self._device))

    def query(self) -> bool:
        """Whether the stream has passed the mark. Does not wait."""
        return self._event.query()

    def synchronize(self) -> None:
        """Waits until the stream has passed the mark."""
        self._event.synchronize()

    def elapsed_time(self, end: StreamEvent) -> float:
        """Stream time from this mark to that of `end`, milliseconds. Both must have been passed."""
        return self._event.elapsed_time(end._event)


def event_maker(device: torch.device) -> Callable[[], StreamEvent] | None:
    """A function that creates timing events for `device`; None on a CPU, where only the host's clock counts."""
    return (lambda: StreamEvent(device)) if device.type == "cuda" else None
