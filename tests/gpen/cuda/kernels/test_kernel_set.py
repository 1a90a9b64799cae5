"""Kernels are used only where each gives what its torch reference gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from gpen_fast.gpen.cuda.kernels import kernel_set
from gpen_fast.gpen.cuda.kernels.kernel_set import REFERENCE, TRITON, kernel_failure

CPU = torch.device("cpu")
DTYPES = [torch.float32, torch.float16, torch.bfloat16]


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    kernel_set._tried.clear()
    yield
    kernel_set._tried.clear()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_no_failure_where_nothing_is_wrong(dtype: torch.dtype) -> None:
    assert kernel_failure(CPU, dtype, REFERENCE) == ""


@pytest.mark.parametrize("name", ["dense", "modulate", "blur", "up_epilogue", "same_epilogue"])
def test_a_kernel_that_gives_something_else_is_a_failure(name: str) -> None:
    def wrong(*arguments: Any) -> Any:
        result = getattr(REFERENCE, name)(*arguments)
        parts = result if isinstance(result, tuple) else (result,)
        for part in parts:
            if part is not None:
                part[(-1,) * part.ndim] += part.abs().max()
        return result

    failure = kernel_failure(CPU, torch.float16, replace(REFERENCE, **{name: wrong}))
    assert failure == f"the kernel {name} gives something else than its reference"


def test_nan_is_a_failure() -> None:
    nothing = replace(REFERENCE, blur=lambda *given: REFERENCE.blur(*given) * float("nan"))
    assert "blur gives something else" in kernel_failure(CPU, torch.float32, nothing)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ModuleNotFoundError("No module named 'triton'"), "ModuleNotFoundError: No module named 'triton'"),
        (RuntimeError("no compiler\nand much more"), "RuntimeError: no compiler"),
        (NotImplementedError(), "NotImplementedError"),
    ],
)
def test_a_kernel_that_does_not_run_is_a_failure_of_one_line(error: Exception, failure: str) -> None:
    def fails(*arguments: Any) -> Tensor:
        raise error

    assert kernel_failure(CPU, torch.float16, replace(REFERENCE, up_epilogue=fails)) == failure


def test_references_are_not_rounded_to_tf32() -> None:
    modes: list[str] = []

    def noted(*arguments: Any) -> Tensor:
        switches: Any = torch.backends.cudnn.conv, torch.backends.cuda.matmul
        modes.extend(switch.fp32_precision for switch in switches)
        return REFERENCE.blur(*arguments)

    assert kernel_failure(CPU, torch.float32, replace(REFERENCE, blur=noted)) == ""
    assert set(modes) == {"ieee"}


def test_failures_are_looked_for_once() -> None:
    calls: list[int] = []

    def counted(*arguments: Any) -> Tensor:
        calls.append(1)
        return REFERENCE.blur(*arguments)

    counting = replace(REFERENCE, blur=counted)
    assert kernel_failure(CPU, torch.float16, counting) == kernel_failure(CPU, torch.float16, counting) == ""
    assert len(calls) == 1


def test_a_trial_without_memory_is_repeated() -> None:
    errors = [torch.OutOfMemoryError("CUDA out of memory")]

    def short_once(*arguments: Any) -> Tensor:
        if errors:
            raise errors.pop()
        return REFERENCE.blur(*arguments)

    trying = replace(REFERENCE, blur=short_once)
    assert kernel_failure(CPU, torch.float16, trying) == "OutOfMemoryError: CUDA out of memory"
    assert kernel_failure(CPU, torch.float16, trying) == ""


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_compiled_kernels_equal_their_references(dtype: torch.dtype) -> None:
    assert kernel_failure(torch.device("cuda", 0), dtype, TRITON) == ""


def test_the_interpreted_kernels_pass_what_a_gpus_must(interpreted: dict[str, str]) -> None:
    assert interpreted["kernel_set"] == ""
