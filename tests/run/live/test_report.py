"""The verdict of a live run."""

from __future__ import annotations

import pytest

from gpen_fast.measure.report_parts import LatencyFigures
from gpen_fast.run.live.report import LivePromise, live_verdict

PROMISE = LivePromise("clip", 25.0, 25.0, 100.0)
FAST, SLOW = LatencyFigures(40.0, 80.4, 90.0, 120.0), LatencyFigures(90.0, 140.0, 160.0, 300.0)


@pytest.mark.parametrize(
    ("fps", "latency", "steps", "word", "sentence"),
    [
        (
            24.9, FAST, {"gpen-lite-256": 60.0}, "live",
            "live: 24.9 frames a second of 25, 95 % of them within 80 ms of 100 allowed; all of the time on "
            "gpen-lite-256.",
        ),
        (
            24.9, FAST, {"gpen-lite-256": 30.0, "every second frame": 20.0, "pass through": 10.0}, "borderline",
            "live only by stepping down: 24.9 frames a second of 25, 95 % of them within 80 ms of 100 allowed; of "
            "the time 50 % on gpen-lite-256, 33 % on every second frame, 17 % on pass through.",
        ),
        (20.0, FAST, {"a": 1.0}, "offline", "not live: 20.0 frames a second of 25, "),
        (25.0, SLOW, {"a": 1.0}, "offline", "not live: 25.0 frames a second of 25, 95 % of them within 140 ms"),
        (None, None, {}, "offline", "not live: too few frames arrived to tell."),
    ],
)  # fmt: skip
def test_the_verdict_says_what_was_kept_and_at_which_price(fps, latency, steps, word, sentence) -> None:
    made = live_verdict(PROMISE, fps, latency, steps)
    assert made[0] == word
    assert made[1].startswith(sentence)
