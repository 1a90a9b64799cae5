"""What every live source gives: frames, each with the moment of its arrival."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.reader import DecodedFrame


@dataclass(frozen=True, eq=False)
class Arrival:
    """A frame of a live source."""

    decoded: DecodedFrame = field(repr=False)
    """The frame."""
    arrived: float
    """Seconds, by time.perf_counter, at which it could first be had; a file's: when its time had come."""
    decoding: tuple[int, int] | None = None
    """When its decoding began and ended, by time.perf_counter_ns; None where that is not known."""


class LiveSource(Protocol):
    """Frames that arrive."""

    facts: StreamFacts
    """The stream."""

    @property
    def lost(self) -> str:
        """Why it ended early, as a sentence; empty where it did not."""

    def __iter__(self) -> Iterator[Arrival]:
        """The frames as they come; ends with the source, and after `close`."""

    def close(self) -> None:
        """Ends the iteration within a second; from any thread."""
