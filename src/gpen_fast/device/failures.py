"""What a failure ends: one picture, the batch that it is in, or the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.errors import DeviceError, GenerateError, first_line

# Parts of messages by which torch, Triton and CUDA's libraries say that the GPU failed. After most of these errors no
# call on the GPU works in this process.
_DEVICE_FAILURES = (
    "CUDA error",
    "CUDA driver error",
    "Triton Error [CUDA]",
    "cuDNN error",
    "CUDNN_STATUS",
    "CUBLAS_STATUS",
)


class Reach(Enum):
    """What a failure ends."""

    PICTURE = "picture"
    """One picture."""
    BATCH = "batch"
    """A batch; its pictures may succeed one by one."""
    RUN = "run"
    """The whole run."""


def reach_of(error: Exception, *, in_network: bool = False) -> Reach:
    """What an error ends.

    Out of memory ends a batch, and a failure of the device the run. Of all other errors, one of a stage ends its
    picture.

    Args:
        error: what was raised.
        in_network: the network raised it. Every picture goes through the same network, so that any error but a
            GenerateError ends the run.
    """
    if is_out_of_memory(error):
        return Reach.BATCH
    if isinstance(error, DeviceError) or is_device_failure(error):
        return Reach.RUN
    if in_network and not isinstance(error, GenerateError):
        return Reach.RUN
    return Reach.PICTURE


def is_device_failure(error: BaseException) -> bool:
    """Whether an error, or one of its causes, says that the GPU failed, and not for lack of memory."""
    return _device_failure(error) is not None


@contextmanager
def device_failures_named(stage: str, advice: str = "--device cpu") -> Iterator[None]:
    """Turns a failure of the GPU inside the block into a DeviceError that names the stage.

    Args:
        stage: what runs in the block.
        advice: what the user may try.

    Raises:
        DeviceError: the GPU failed. Other errors pass as they are.
    """
    try:
        yield
    except (
        Exception
    ) as error:  # a stage may have wrapped the GPU's error in one of any type; others are raised again
        failure = None if isinstance(error, DeviceError) else _device_failure(error)
        if failure is None:
            raise
        message = first_line(failure).rstrip(".")
        raise DeviceError(f"the GPU failed in {stage} ({message}). Try {advice}.") from error


def _device_failure(error: BaseException) -> BaseException | None:
    """The error or the first of its causes that says that the GPU failed; None where none does."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        if isinstance(cause, RuntimeError) and not is_out_of_memory(cause):
            text = str(cause)
            if any(part in text for part in _DEVICE_FAILURES):
                return cause
        seen.append(cause)
        cause = cause.__cause__
    return None
