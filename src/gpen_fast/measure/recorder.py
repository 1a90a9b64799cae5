"""What the clock measured, stage by stage, in bounded memory."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

from gpen_fast.measure.spans import SPANS_KEPT, RecordedSpan, Series
from gpen_fast.settings import STAGES


class Recorder:
    """Series by stage, in the pipeline's order. Clocks of several devices may add to it at once.

    Args:
        spans_kept: Calls of each stage whose spans are kept, the first one apart.
        seed: Of the random choice of the spans that are kept; None draws one.
        stages: Names of the stages.
    """

    def __init__(
        self, *, spans_kept: int = SPANS_KEPT, seed: int | None = None, stages: Sequence[str] = STAGES
    ) -> None:
        rng = random.Random(seed)
        self._lock = threading.Lock()
        self.series: dict[str, Series] = {stage: Series(spans_kept, rng) for stage in stages}

    def add(self, span: RecordedSpan) -> None:
        """Counts one call."""
        with self._lock:
            self.series[span.stage].add(span)

    def add_device(self, span: RecordedSpan, ms: float) -> None:
        """Adds the device time of a counted call, once the device has passed its end."""
        with self._lock:
            self.series[span.stage].add_device(span, ms)

    def total_host_ms(self, *stages: str) -> float:
        """Summed wall time of the named stages; of all stages where none is named."""
        return sum(self.series[stage].host.total for stage in stages or self.series)
