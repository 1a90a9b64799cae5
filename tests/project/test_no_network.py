"""The test suite itself: no test reaches another machine."""

from __future__ import annotations

import socket

import pytest
import requests

from gpen_fast.settings import WeightsOptions
from gpen_fast.store.folders import is_offline


def test_tests_cannot_reach_another_machine() -> None:
    assert is_offline(WeightsOptions())
    with pytest.raises(AssertionError, match="a test reached for"), socket.socket() as far:
        far.connect(("192.0.2.1", 443))
    with pytest.raises(AssertionError, match=r"a test asked for the address of weights\.example"):
        requests.get("https://weights.example/", timeout=1)
