"""How a signal ends the process; tests/cli/test_start.py sends some."""

from __future__ import annotations

import signal

import pytest

from gpen_fast.cli import signals


def test_an_orderly_end_raises_once_and_the_next_signal_ends_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as end:
            signals.end_in_order(signal.SIGINT, None)
        assert end.value.code == 130
        assert signal.getsignal(signal.SIGINT) is signals.end_at_once
    finally:
        signal.signal(signal.SIGINT, before)
