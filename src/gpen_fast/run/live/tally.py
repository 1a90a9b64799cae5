"""What was counted and measured of a live run, in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

import numpy as np

from gpen_fast.errors import summary
from gpen_fast.measure.report_parts import LatencyFigures
from gpen_fast.measure.stats import rounded
from gpen_fast.run.live.line import LiveDone

# Latencies are counted in steps of this, seconds.
_STEP_S = 1e-4
# Seconds over which the present rate and latency are taken.
_PRESENT_S = 2.0


class LiveTally:
    """Counts the frames that are handed out."""

    def __init__(self, steps: Sequence[str]) -> None:
        """Begins with nothing.

        Args:
            steps: Names of the quality steps.
        """
        self.delivered = self.faces = self.kept = self.left_out = self.tracks = self.unrestored = 0
        self.dropped = 0
        self.first_error = ""
        self.step_s = dict.fromkeys(steps, 0.0)
        self._names = steps
        self._latencies: Counter[int] = Counter()
        self._most = 0.0
        self._begun: float | None = None
        self._last = 0.0
        self._recent: deque[tuple[float, float]] = deque()
        self.step = steps[0]

    def add(self, done: LiveDone, now: float, dropped: int) -> None:
        """Counts a frame.

        Args:
            done: The frame.
            now: When it was handed out, seconds by `time.perf_counter`.
            dropped: Frames dropped so far.
        """
        latency = now - done.arrived
        self._begun = done.arrived if self._begun is None else self._begun
        self.step = self._names[done.step]
        self.step_s[self.step] += now - max(self._last, self._begun)
        self._last, self.dropped = now, dropped
        self.delivered += 1
        self.faces += done.frame.faces
        self.kept += done.frame.kept
        self.left_out += done.frame.left_out
        self.tracks += done.new_tracks
        if done.frame.error is not None:
            self.unrestored += 1
            self.first_error = self.first_error or summary(done.frame.error)
        self._latencies[round(latency / _STEP_S)] += 1
        self._most = max(self._most, latency)
        self._recent.append((now, latency))
        while now - self._recent[0][0] > _PRESENT_S:
            self._recent.popleft()

    @property
    def seconds(self) -> float:
        """From the first frame's arrival until the last was handed out."""
        return 0.0 if self._begun is None else self._last - self._begun

    @property
    def fps(self) -> float | None:
        """Frames handed out per second of the whole run; None where too few were."""
        return self.delivered / self.seconds if self.delivered > 1 and self.seconds else None

    def present(self) -> tuple[float, float]:
        """Frames per second and mean latency in seconds, of the last two seconds."""
        if len(self._recent) < 2:
            return 0.0, self._recent[-1][1] if self._recent else 0.0
        span = self._recent[-1][0] - self._recent[0][0]
        mean = sum(latency for _, latency in self._recent) / len(self._recent)
        return (len(self._recent) - 1) / span if span else 0.0, mean

    def latency(self) -> LatencyFigures | None:
        """The latencies of the whole run, milliseconds; None where no frame was handed out."""
        if not self.delivered:
            return None
        values = np.array(sorted(self._latencies))
        below = np.cumsum([self._latencies[int(value)] for value in values])
        ranks = [
            values[np.searchsorted(below, share * self.delivered)] * _STEP_S * 1e3
            for share in (0.5, 0.95, 0.99)
        ]
        p50, p95, p99, most = (round(float(each), 1) for each in (*ranks, self._most * 1e3))
        return LatencyFigures(p50, p95, p99, max(most, p99))

    def steps(self) -> dict[str, float]:
        """Step -> seconds on it, of those that were taken."""
        return {name: rounded(seconds) or 0.0 for name, seconds in self.step_s.items() if seconds}
