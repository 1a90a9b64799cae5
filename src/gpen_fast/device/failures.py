"""How a failure of the GPU is recognised, and how it is named for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.errors import DeviceError, first_line

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


def is_device_failure(error: BaseException) -> bool:
    """Whether the GPU failed, and not for lack of memory: the error or one of its causes says so."""
    return _device_failure(error) is not None


@contextmanager
def device_failures_named(stage: str, advice: str = "--device cpu") -> Iterator[None]:
    """Raises a failure of the GPU inside the block as a DeviceError that names the stage.

    Args:
        stage: Where the failure happened, as the message says it: "the GPU failed in `stage`".
        advice: Options that may help, as the message says them: "Try `advice`."

    Raises:
        DeviceError: The GPU failed. Every other error passes unchanged.
    """
    try:
        yield
    except Exception as error:  # broad: a stage may have wrapped the failure in an error of any type
        failure = None if isinstance(error, DeviceError) else _device_failure(error)
        if failure is None:
            raise
        message = first_line(failure).rstrip(".")
        raise DeviceError(f"the GPU failed in {stage} ({message}). Try {advice}.") from error


def _device_failure(error: BaseException) -> BaseException | None:
    """The error, or the first of its causes, that reports a failed GPU: a stage may have wrapped it."""
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
