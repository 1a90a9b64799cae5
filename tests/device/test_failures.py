"""How a failure of the GPU is recognised and named."""

from __future__ import annotations

import pytest

from gpen_fast.device.failures import device_failures_named, is_device_failure
from gpen_fast.errors import DeviceError, PictureError


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


LOST = RuntimeError("CUDA error: device lost")
FULL = RuntimeError("CUDA error: out of memory")


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (LOST, True),
        (caused(PictureError("damaged"), LOST), True),
        (FULL, False),
        (caused(PictureError("does not fit"), FULL), False),
        (FileNotFoundError(2, "No such file", "CUDA error.jpg"), False),
    ],
    ids=str,
)
def test_a_failure_of_the_device_is_recognised(error: Exception, wanted: bool) -> None:
    assert is_device_failure(error) is wanted


def test_an_error_that_is_its_own_cause_is_looked_at_once() -> None:
    odd = ValueError("odd")
    assert not is_device_failure(caused(odd, odd))


def test_a_named_failure_keeps_its_name() -> None:
    with (
        pytest.raises(DeviceError) as told,
        device_failures_named("load"),
        device_failures_named("crop", "fp32"),
    ):
        raise LOST
    assert str(told.value) == "the GPU failed in crop (CUDA error: device lost). Try fp32."
    assert told.value.__cause__ is LOST


def test_other_errors_pass_unnamed() -> None:
    for error in (FULL, PictureError("damaged")):
        with pytest.raises(type(error)) as told, device_failures_named("load"):
            raise error
        assert told.value is error
