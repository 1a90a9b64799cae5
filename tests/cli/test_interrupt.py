"""The first signal stops, the second acts as before the run."""

from __future__ import annotations

import os
import signal

import pytest

from gpen_fast.cli.interrupt import first_interrupt_stops
from gpen_fast.cli.signals import end_at_once


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_kill_and_a_closed_terminal_stop_in_order_too(number: signal.Signals) -> None:
    before, told = signal.getsignal(number), []
    with first_interrupt_stops(lambda: told.append("stopping")) as stopped:
        os.kill(os.getpid(), number)
        assert stopped.is_set()
        assert told == ["stopping"]
        assert signal.getsignal(number) is before, "a second signal acts at once"
    assert signal.getsignal(number) is before


def test_a_signal_that_is_ignored_stays_ignored_as_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with first_interrupt_stops(lambda: pytest.fail("it stopped")) as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopped.is_set()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
