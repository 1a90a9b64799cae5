"""What the processes of a run note beside their results: times, counts, faces that were found, a full disk."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from multiprocessing import current_process
from pathlib import Path

from gpen_fast.detections.cache import CacheCounts, DetectionWriter
from gpen_fast.detections.file_format import DetectionEntry
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.spans import RecordedSpan, RecordedWait
from gpen_fast.run.guard import OutputGuard
from gpen_fast.run.pipeline import Pipeline

# Exit status of a child whose work takes longer than --stall-timeout.
STALLED = 75


@dataclass(frozen=True)
class Noted:
    """What a child noted since it last told its parent."""

    spans: list[RecordedSpan]
    """The calls of its stages."""
    waits: list[RecordedWait]
    """The times in which it had nothing to do; empty where no timeline asks for them."""
    recomputed_fp32: int
    """Faces that it recomputed in fp32."""
    counts: CacheCounts | None
    """Of the faces that were known before; None where none were."""
    entries: list[DetectionEntry]
    """Faces that it found, for --save-landmarks."""
    ended: tuple[Path, str] | None
    """Why no result can be written any more; None while they can."""


class RunAside:
    """See `lanes.Aside`.

    Args:
        pipeline: Whose times and counts are noted.
        guard: Knows whether results can still be written.
        detection_writer: Takes the faces that are found; None where they are not saved.
    """

    def __init__(
        self, pipeline: Pipeline, guard: OutputGuard, detection_writer: DetectionWriter | None
    ) -> None:
        self._pipeline = pipeline
        self._guard = guard
        self._detection_writer = detection_writer
        self._recorder = pipeline.clock.recorder
        self._spans = _SpanList(with_waits=self._recorder.sink is not None)

    def begin(self) -> None:
        """In a child: from now on times and faces are noted for the parent."""
        self._pipeline.clock.recorder = self._spans
        self.noted()
        if watchdog := self._pipeline.watchdog:
            watchdog.watch_on(lambda sentence: os._exit(STALLED))

    def noted(self) -> Noted:
        """In a child: what was noted since the last call."""
        runtime = self._pipeline.runtime
        recomputed, runtime.generator.recomputed_fp32 = runtime.generator.recomputed_fp32, 0
        return Noted(
            self._spans.taken(),
            self._spans.taken_waits(),
            recomputed,
            runtime.detection_cache.taken_counts() if runtime.detection_cache else None,
            self._detection_writer.taken_entries() if self._detection_writer else [],
            self._guard.ended,
        )

    def add(self, noted: object) -> None:
        """In the parent: adds what a child noted."""
        assert isinstance(noted, Noted)
        runtime = self._pipeline.runtime
        for span in noted.spans:
            self._recorder.add(span)
        for wait in noted.waits:
            self._recorder.add_wait(wait)
        runtime.generator.recomputed_fp32 += noted.recomputed_fp32
        if noted.counts and runtime.detection_cache:
            runtime.detection_cache.add_counts(noted.counts)
        if self._detection_writer:
            for entry in noted.entries:
                self._detection_writer.add(entry)
        self._guard.ended = self._guard.ended or noted.ended


class _SpanList(Recorder):
    """A recorder that hands its spans on, with the name of the child that it is in."""

    def __init__(self, *, with_waits: bool) -> None:
        super().__init__(spans_kept=1)
        self._with_waits = with_waits
        self._taken: list[RecordedSpan] = []
        self._waits: list[RecordedWait] = []

    def add(self, span: RecordedSpan) -> None:
        """Keeps a call until it is taken."""
        span.process = current_process().name
        self._taken.append(span)

    def add_wait(self, wait: RecordedWait) -> None:
        """Keeps a wait until it is taken."""
        if self._with_waits:
            self._waits.append(replace(wait, process=current_process().name))

    def taken_waits(self) -> list[RecordedWait]:
        """The waits since the last call of this."""
        waits, self._waits = self._waits, []
        return waits

    def taken(self) -> list[RecordedSpan]:
        """The calls since the last call of this."""
        spans, self._taken = self._taken, []
        return spans
