"""What a failure ends: a picture, a batch or the run."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.device.failures import Reach, device_failures_named, is_device_failure, reach_of
from gpen_fast.errors import DeviceError, GenerateError, PictureError


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


LOST = RuntimeError("CUDA error: device lost")
FULL = RuntimeError("CUDA error: out of memory")


@pytest.mark.parametrize(
    ("error", "wanted", "in_network"),
    [
        (LOST, Reach.RUN, Reach.RUN),
        (torch.AcceleratorError("CUDA error: unspecified launch failure"), Reach.RUN, Reach.RUN),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), Reach.RUN, Reach.RUN),
        (RuntimeError("Triton Error [CUDA]: misaligned address"), Reach.RUN, Reach.RUN),
        (DeviceError("no such device"), Reach.RUN, Reach.RUN),
        (caused(PictureError("damaged"), LOST), Reach.RUN, Reach.RUN),
        (torch.OutOfMemoryError("CUDA out of memory"), Reach.BATCH, Reach.BATCH),
        (FULL, Reach.BATCH, Reach.BATCH),
        (caused(PictureError("does not fit"), FULL), Reach.PICTURE, Reach.RUN),
        (GenerateError("no finite face"), Reach.PICTURE, Reach.PICTURE),
        (PictureError("damaged"), Reach.PICTURE, Reach.RUN),
        (FileNotFoundError(2, "No such file", "CUDA error.jpg"), Reach.PICTURE, Reach.RUN),
        (RuntimeError("shapes differ"), Reach.PICTURE, Reach.RUN),
    ],
    ids=str,
)
def test_how_far_a_failure_reaches(error: Exception, wanted: Reach, in_network: Reach) -> None:
    assert (reach_of(error), reach_of(error, in_network=True)) == (wanted, in_network)


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
