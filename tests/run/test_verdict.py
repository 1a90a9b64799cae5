"""What a failure ends: a picture, a batch or the run."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.errors import DeviceError, GenerateError, PictureError
from gpen_fast.run.job import Failed, PictureSource, failed
from gpen_fast.run.verdict import Reach, attempt, reach_of


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


LOST = RuntimeError("CUDA error: device lost")
FULL = RuntimeError("CUDA error: out of memory")


@pytest.mark.parametrize(
    ("error", "wanted", "in_network"),
    [
        (LOST, "run", "run"),
        (torch.AcceleratorError("CUDA error: unspecified launch failure"), "run", "run"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "run", "run"),
        (RuntimeError("Triton Error [CUDA]: misaligned address"), "run", "run"),
        (DeviceError("no such device"), "run", "run"),
        (caused(PictureError("damaged"), LOST), "run", "run"),
        (torch.OutOfMemoryError("CUDA out of memory"), "batch", "batch"),
        (FULL, "batch", "batch"),
        (caused(PictureError("does not fit"), FULL), "picture", "run"),
        (GenerateError("no finite face"), "picture", "picture"),
        (PictureError("damaged"), "picture", "run"),
        (FileNotFoundError(2, "No such file", "CUDA error.jpg"), "picture", "run"),
        (RuntimeError("shapes differ"), "picture", "run"),
    ],
    ids=str,
)
def test_how_far_a_failure_reaches(error: Exception, wanted: Reach, in_network: Reach) -> None:
    assert (reach_of(error), reach_of(error, in_network=True)) == (wanted, in_network)


def test_what_goes_wrong_with_one_picture_stays_with_it() -> None:
    source = PictureSource(3, torch.zeros(3, 4, 4, dtype=torch.uint8))

    def damaged(given: PictureSource) -> int:
        raise PictureError("damaged")

    done = attempt(damaged, source)
    assert isinstance(done, Failed)
    assert (done.source, str(done.error), done.error.__traceback__) == (source, "damaged", None)
    assert attempt(lambda given: given.index, source) == 3


def test_a_failed_picture_passes_every_later_stage() -> None:
    lost = failed(PictureSource(0, torch.zeros(3, 4, 4, dtype=torch.uint8)), PictureError("damaged"))
    assert attempt(lambda given: pytest.fail("the stage was run"), lost) is lost


def test_what_ends_the_run_is_raised() -> None:
    def lost(given: PictureSource) -> None:
        raise LOST

    with pytest.raises(RuntimeError, match="device lost"):
        attempt(lost, PictureSource(0, torch.zeros(3, 4, 4, dtype=torch.uint8)))
