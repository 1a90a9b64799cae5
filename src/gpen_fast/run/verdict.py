"""How far a failure reaches, decided in one place: one picture, the batch it is in, or the whole run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from gpen_fast.device.failures import is_device_failure
from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.errors import DeviceError, GenerateError
from gpen_fast.run.job import Failed, Loaded, PictureSource, Step, failed

Reach = Literal["picture", "batch", "run"]

_Given = TypeVar("_Given", bound=PictureSource | Loaded | Step)
_Result = TypeVar("_Result")


def reach_of(error: Exception, *, in_network: bool = False) -> Reach:
    """What `error` ends.

    Args:
        error: What a stage raised.
        in_network: The network raised it. Every picture goes through the same network, so that anything but a
            GenerateError or a lack of memory ends the run; another stage's error ends its picture.

    Returns:
        batch: memory ran out; a smaller batch, or each picture alone, may succeed. run: the device failed, and most
        failures leave it unusable. picture: everything else.
    """
    if is_out_of_memory(error):
        return "batch"
    if isinstance(error, DeviceError) or is_device_failure(error):
        return "run"
    if in_network and not isinstance(error, GenerateError):
        return "run"
    return "picture"


def attempt(stage: Callable[[_Given], _Result], picture: _Given | Failed) -> _Result | Failed:
    """Runs a stage for one picture, unless that has failed already.

    Returns:
        What the stage returns; or the failed picture.

    Raises:
        Exception: An error that ends the run.
    """
    if isinstance(picture, Failed):
        return picture
    try:
        return stage(picture)
    except Exception as error:  # broad: whatever goes wrong with one picture must not end the others
        if reach_of(error) == "run":
            raise
        return failed(picture, error)
