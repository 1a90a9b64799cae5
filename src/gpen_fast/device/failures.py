"""How far a failure reaches: one picture, the batch it is in, or the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.errors import DeviceError, GenerateError, first_line

# How torch, Triton and CUDA's libraries say that the GPU failed. After most of these no call on it works any more.
_DEVICE_FAILURES = (
    "CUDA error",
    "CUDA driver error",
    "Triton Error [CUDA]",
    "cuDNN error",
    "CUDNN_STATUS",
    "CUBLAS_STATUS",
)


class Reach(Enum):
    """What a failure ends: one picture; a batch, whose pictures may do alone; or the whole run."""

    PICTURE = "picture"
    BATCH = "batch"
    RUN = "run"


def reach_of(error: Exception, *, in_network: bool = False) -> Reach:
    """What `error` ends. Out of memory ends a batch, a failure of the device the run.

    in_network: the network raised it. Every picture goes through the same one, so that anything but a
    GenerateError ends the run; in the other stages what is neither of the above ends its picture.
    """
    if is_out_of_memory(error):
        return Reach.BATCH
    if isinstance(error, DeviceError) or is_device_failure(error):
        return Reach.RUN
    if in_network and not isinstance(error, GenerateError):
        return Reach.RUN
    return Reach.PICTURE


def is_device_failure(error: BaseException) -> bool:
    """Whether the GPU failed, and not for lack of memory: said by the error or by one of its causes."""
    return _device_failure(error) is not None


@contextmanager
def device_failures_named(stage: str, advice: str = "--device cpu") -> Iterator[None]:
    """Raises a failure of the GPU inside the block as a DeviceError that names the stage and what to try."""
    try:
        yield
    except Exception as error:
        failure = None if isinstance(error, DeviceError) else _device_failure(error)
        if failure is None:
            raise
        said = first_line(failure).rstrip(".")
        raise DeviceError(f"the GPU failed in {stage} ({said}). Try {advice}.") from error


def _device_failure(error: BaseException) -> BaseException | None:
    """The error, or the first of its causes, that says so: a stage may have wrapped it."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        if isinstance(cause, RuntimeError) and not is_out_of_memory(cause):
            words = str(cause)
            if any(word in words for word in _DEVICE_FAILURES):
                return cause
        seen.append(cause)
        cause = cause.__cause__
    return None
