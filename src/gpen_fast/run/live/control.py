"""Which quality step a live run takes: down before latency grows, up when there is room, and never to and fro.

It has no clock and no thread: it is told of each frame that was handed out, with the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# Weight of a frame in the running means of times: about the last ten frames count; and in those of the rate: twenty.
_GAIN, _RATE_GAIN = 0.1, 0.05
# A single value counts for at most so many frame times: one stall is not a trend.
_MOST_PERIODS = 3.0
# The rate is missed where frames come this much later than they should, and this share of them was dropped.
_LATE, _DROPPED = 1.08, 0.05
# Seconds of a new step that do not count as missed: faces are detected anew, and the frames before it are still there.
_SETTLES_S = 1.0
# Seconds of missed frames after which it steps down, and consecutive frames of twice the allowed latency.
_MISSED_S, _MISSED_GREATLY = 0.5, 3
# A frame is met comfortably below these shares of the allowed latency and of the frame time.
_EASY_LATENCY, _EASY_BUSY = 0.8, 0.9
# What a step must be expected to take at most before it is tried, of the frame time and of the latency.
_FITS, _FITS_LATENCY = 0.92, 0.9
# At the start, of the frame time: the network alone, before anything else is known.
_FITS_FIRST = 0.7
# Seconds of comfort before a step up; doubled when the step fails, up to the second figure. A step that holds for the
# third has not failed.
_WAIT_S, _MOST_WAIT_S, _PROVEN_S = 3.0, 60.0, 10.0
# Comfort that one uncomfortable frame costs, in frames.
_DISCOMFORT = 4.0


class LiveSample(NamedTuple):
    """One frame that was handed out. All times are seconds."""

    now: float
    """When it was handed out."""
    step: int
    """The step that it was restored with."""
    latency: float
    """From its arrival until then."""
    line: float
    """What the thread of the network worked on it."""
    beside: float
    """What the busiest other thread worked on it."""
    network: float
    """What the network's call took; 0 where it did not run."""
    dropped: int
    """Frames that were dropped since the one before it was handed out."""
    faces: int
    """Faces restored in it."""


class StepControl:
    """Chooses the step. Step 0 is the best one, the last one changes no frame."""

    def __init__(self, costs: Sequence[float], target_fps: float, most_latency: float) -> None:
        """Takes the best step whose network seems to fit.

        Args:
            costs: Step -> seconds of the network for a frame with one face, on average; 0 where it does not run.
            target_fps: Frames per second that are to be delivered.
            most_latency: Seconds from a frame's arrival until it is handed out, at most.
        """
        self._costs = costs
        self._period = 1 / target_fps
        self._most_latency = most_latency
        self._waits = [_WAIT_S] * len(costs)
        fitting = (at for at, cost in enumerate(costs) if cost <= _FITS_FIRST * self._period)
        faces_last = max(0, len(costs) - 2)
        self.step = min(next(fitting, faces_last), faces_last)
        """The step that the next frame is to be restored with."""
        # How many times as long as `costs` the network takes: more faces, a busy machine.
        self._factor = 1.0
        self._began: float | None = None
        self._tried = False
        self._last: float | None = None
        self._forget()

    def frame(self, sample: LiveSample) -> None:
        """Hears of a frame; `step` may be another one afterwards."""
        if self._began is None:
            self._began = sample.now
        before, self._last = self._last, sample.now
        if sample.step != self.step:
            return  # it was under way when the step changed
        elapsed = self._period if before is None else max(0.0, sample.now - before)
        self._learn(sample, elapsed)
        if self._misses(sample, elapsed):
            self._go(self._lower(), sample.now)
        elif self._comfort >= self._waits[max(0, self.step - 1)] and self._fits_above():
            self._go(self.step - 1, sample.now)

    def _forget(self) -> None:
        """Begins anew with what is only true of one step."""
        self._last = None
        self._interval, self._dropped = self._period, 0.0
        self._line = self._beside = self._network = self._latency = 0.0
        self._frames = self._greatly = 0
        self._missed, self._comfort = 0.0, 0.0

    def _learn(self, sample: LiveSample, elapsed: float) -> None:
        most = _MOST_PERIODS * self._period
        self._interval += _RATE_GAIN * (min(elapsed, most) - self._interval)
        self._dropped += _RATE_GAIN * (min(sample.dropped, _MOST_PERIODS) - self._dropped)
        if self._tells_nothing(sample):
            return
        gain = max(_GAIN, 1 / (self._frames + 1))
        self._frames += 1
        self._line += gain * (min(sample.line, most) - self._line)
        self._beside += gain * (min(sample.beside, most) - self._beside)
        self._network += gain * (min(sample.network, most) - self._network)
        self._latency += gain * (min(sample.latency, 2 * self._most_latency) - self._latency)
        if self._network and self._costs[self.step]:
            self._factor = self._network / self._costs[self.step]

    def _tells_nothing(self, sample: LiveSample) -> bool:
        """Whether a frame without a face says nothing of what a step takes."""
        return not sample.faces and self._costs[self.step] > 0

    def _misses(self, sample: LiveSample, elapsed: float) -> bool:
        """Whether the target has been missed for long enough."""
        late = self._interval > _LATE * self._period and self._dropped > _DROPPED
        settles = self._began is not None and sample.now - self._began < _SETTLES_S
        missed = not settles and (late or sample.latency > self._most_latency)
        counted = min(elapsed, _MOST_PERIODS * self._period)
        self._missed = self._missed + counted if missed else max(0.0, self._missed - counted)
        self._greatly = self._greatly + 1 if sample.latency > 2 * self._most_latency else 0
        busy = max(self._line, self._beside)
        easy = sample.latency <= _EASY_LATENCY * self._most_latency and busy <= _EASY_BUSY * self._period
        if not easy or missed:
            self._comfort = max(0.0, self._comfort - _DISCOMFORT * counted)
        elif not self._tells_nothing(sample):
            self._comfort += elapsed
        if self._began is not None and self._tried and sample.now - self._began >= _PROVEN_S:
            self._waits[self.step], self._tried = _WAIT_S, False
        return self._missed >= _MISSED_S or self._greatly >= _MISSED_GREATLY

    def _lower(self) -> int:
        """The next step down whose network is expected to fit."""
        last = len(self._costs) - 1
        below = range(min(self.step + 1, last), last)
        return next((at for at in below if self._expected(at) <= self._period), last)

    def _fits_above(self) -> bool:
        if self.step == 0:
            return False
        if not self._costs[self.step]:
            return True  # nothing was measured without a network: only the trial tells
        more = self._expected(self.step - 1)
        latency = self._latency + more - self._line
        return more <= _FITS * self._period and latency <= _FITS_LATENCY * self._most_latency

    def _expected(self, step: int) -> float:
        """What the thread of the network would work on a frame at another step."""
        return self._line - self._network + self._factor * self._costs[step]

    def _go(self, step: int, now: float) -> None:
        if step == self.step:
            self._missed = self._greatly = 0
            return
        if step > self.step and self._tried:
            self._waits[self.step] = min(2 * self._waits[self.step], _MOST_WAIT_S)
        self._tried = step < self.step
        self.step, self._began = step, now
        self._forget()
