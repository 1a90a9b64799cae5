"""The kernels of the PNG encoder, compared once with the torch operations by Triton's interpreter."""

from __future__ import annotations

import json

import pytest
from helpers import ROOT
from interpreter import run_interpreted


@pytest.fixture(scope="session")
def failures_of() -> dict[str, str]:
    """For each file of kernels, the traceback of its comparison; empty where the kernels agree."""
    found: dict[str, str] = json.loads(
        run_interpreted(ROOT / "tests/support/interpreted_png.py").splitlines()[-1]
    )
    return found
