"""The interpreter's run, once for all tests of kernels."""

from __future__ import annotations

import pytest
from helpers import ROOT
from interpreter import interpreted_failures


@pytest.fixture(scope="session")
def interpreted() -> dict[str, str]:
    """By the kernel's name, how its interpreted run differed from its reference; empty where it did not."""
    return interpreted_failures(ROOT / "tests/support/interpreted_kernels.py")
