"""What kernels share; and that without Triton they can still be imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gpen_fast.gpen.cuda.kernels._jit import next_power_of_two


@pytest.mark.parametrize(("number", "power"), [(1, 1), (2, 2), (3, 4), (64, 64), (65, 128)])
def test_powers_of_two(number: int, power: int) -> None:
    assert next_power_of_two(number) == power


def test_the_interpreted_device_functions_are_right(interpreted: dict[str, str]) -> None:
    """They run inside the kernels: the blur's rows, and the skip half of both epilogues."""
    assert interpreted["blur"] == interpreted["up_epilogue"] == interpreted["same_epilogue"] == ""


def test_without_triton_kernels_are_imported_and_not_run() -> None:
    code = (
        "import sys; sys.modules['triton'] = None\n"
        "import torch\n"
        "from gpen_fast.gpen.cuda.kernels import blur\n"
        "print(blur.blur(torch.zeros(1, 2, 4, 4), torch.zeros(2)).shape[-1])\n"
        "print(type(blur._blur).__name__)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["5", "function"]
