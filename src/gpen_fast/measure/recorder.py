"""What the clock measured, stage by stage, in bounded memory."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

from gpen_fast.measure.spans import (
    SPANS_KEPT,
    DevicePlace,
    RecordedSpan,
    RecordedWait,
    Series,
    SpanSink,
)
from gpen_fast.settings import STAGES


class Recorder:
    """Series by stage, in the pipeline's order. Clocks of several devices may add to it at once.

    Args:
        spans_kept: Calls of each stage whose spans are kept, the first one apart.
        seed: Of the random choice of the spans that are kept; None draws one.
        sink: Is told of every call and wait, for a timeline; None where none is written.
        stages: Names of the stages.
    """

    def __init__(
        self,
        *,
        spans_kept: int = SPANS_KEPT,
        seed: int | None = None,
        sink: SpanSink | None = None,
        stages: Sequence[str] = STAGES,
    ) -> None:
        self.sink = sink
        rng = random.Random(seed)
        self._lock = threading.Lock()
        self.series: dict[str, Series] = {stage: Series(spans_kept, rng) for stage in stages}

    def add(self, span: RecordedSpan) -> None:
        """Counts one call."""
        with self._lock:
            self.series[span.stage].add(span)
        if self.sink:
            self.sink.span(span)

    def add_device(self, span: RecordedSpan, ms: float, place: DevicePlace | None = None) -> None:
        """Adds the device time of a counted call, once the device has passed its end.

        Args:
            span: The call.
            ms: Its time on the device.
            place: When it ran there; None where no timeline asks for it.
        """
        with self._lock:
            self.series[span.stage].add_device(span, ms)
        if self.sink and place:
            self.sink.device_span(span, place)

    def add_wait(self, wait: RecordedWait) -> None:
        """Passes a worker's wait to the timeline, if there is one: the sums are kept by the worker itself."""
        if self.sink:
            self.sink.wait(wait)

    def total_host_ms(self, *stages: str) -> float:
        """Summed wall time of the named stages; of all stages where none is named."""
        return sum(self.series[stage].host.total for stage in stages or self.series)
