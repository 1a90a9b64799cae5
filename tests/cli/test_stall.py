"""`--stall-timeout`: a run in which a worker hangs ends and names it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gpen_fast.cli.stall import watched
from gpen_fast.errors import SettingsError
from gpen_fast.settings import OutputOptions

_HANGS = """
import time
from gpen_fast.cli.stall import watched
with watched(0.2, lambda: print("closed", flush=True)) as watchdog, watchdog.busy("reading", "in/a.jpg"):
    time.sleep(60)
"""


def test_the_process_ends_and_says_what_hung() -> None:
    done = subprocess.run([sys.executable, "-c", _HANGS], capture_output=True, text=True, timeout=50)
    assert done.returncode == 1
    assert done.stdout == "closed\n", "what is open is closed first"
    assert (
        "reading in/a.jpg has taken more than 0.2 s (--stall-timeout): stopped. What is finished"
        in done.stderr
    )


def test_without_the_flag_nothing_is_watched() -> None:
    with watched(None) as watchdog:
        assert watchdog is None


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_has_to_be_above_0(limit: float) -> None:
    with pytest.raises(SettingsError, match="accepted is above 0 seconds"):
        OutputOptions(stall_timeout=limit)
