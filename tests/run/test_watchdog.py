"""A piece of work that hangs is named."""

from __future__ import annotations

import threading
import time

from gpen_fast.run.watchdog import Watchdog


def test_work_that_hangs_is_named_once() -> None:
    told: list[str] = []
    named = threading.Event()

    def hung(sentence: str) -> None:
        told.append(sentence)
        named.set()

    watchdog = Watchdog(0.2, hung)
    with watchdog.watching(), watchdog.busy("reading", "/in/a.jpg"):
        assert named.wait(20)
    assert told == ["reading /in/a.jpg has taken more than 0.2 s"]


def test_work_that_ends_in_time_is_not_named() -> None:
    told: list[str] = []
    watchdog = Watchdog(30.0, told.append)
    with watchdog.watching():
        for _ in range(3):
            with watchdog.busy("reading", "a"):
                time.sleep(0.01)
    assert told == []
