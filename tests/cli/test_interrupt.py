"""The first Ctrl-C stops, the second interrupts."""

from __future__ import annotations

import os
import signal

import pytest

from gpen_fast.cli.interrupt import first_interrupt_stops
from gpen_fast.cli.start import end_at_once


def test_the_first_sets_the_event_and_the_second_interrupts() -> None:
    before, told = signal.getsignal(signal.SIGINT), []
    with pytest.raises(KeyboardInterrupt), first_interrupt_stops(lambda: told.append("stopping")) as stopped:
        assert not stopped.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped.is_set()
        assert told == ["stopping"]
        os.kill(os.getpid(), signal.SIGINT)
    assert told == ["stopping"]
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_raises_where_it_would_end_the_process_on_the_spot() -> None:
    before = signal.signal(signal.SIGTERM, end_at_once)
    try:
        with pytest.raises(SystemExit), first_interrupt_stops(lambda: None) as stopped:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stopped.is_set()
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is end_at_once
    finally:
        signal.signal(signal.SIGTERM, before)


def test_without_an_interrupt_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with first_interrupt_stops(lambda: pytest.fail("no signal came")) as stopped:
        assert signal.getsignal(signal.SIGINT) is not before
    assert not stopped.is_set()
    assert signal.getsignal(signal.SIGINT) is before
