"""The encoder as Triton kernels, one file a step, for pixels on a GPU: the same bytes as by torch operations.

This file imports neither Triton nor the kernels: Triton is not installed everywhere.
"""

from __future__ import annotations

import threading
import warnings

import torch
from torch import Tensor

from gpen_fast.device.memory import is_out_of_memory
from gpen_fast.errors import DeviceError, kind_and_line
from gpen_fast.png.by_torch import on_device_by_torch

# Launch options. No kernel here computes in floating point; without the option Triton 3.9 warns that its default will
# change. gpen.cuda.kernels has options of its own: its products and sums are fused on purpose.
OPTIONS = {"enable_fp_fusion": False}
_tried: dict[torch.device, bool] = {}
_trying = threading.Lock()


def kernels_usable(tensor: Tensor) -> bool:
    """Whether kernels can encode this tensor: it is on a GPU, and `kernels_work_on` that GPU."""
    return tensor.is_cuda and kernels_work_on(tensor.device)


def kernels_work_on(device: torch.device) -> bool:
    """Whether the kernels encode small pictures there to the same bytes as torch operations on the CPU.

    Tried once for each device. If not, a RuntimeWarning gives the cause.
    """
    with _trying:
        if device not in _tried:
            _tried[device] = _tries(device)
        return _tried[device]


def _tries(device: torch.device) -> bool:
    try:
        _try(device)
    # Triton raises errors of many kinds: it is absent, has no C compiler for its launcher, does not know the GPU.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        warnings.warn(
            f"PNG on {device}: Triton's kernels cannot be used ({kind_and_line(error)}). Plain torch "
            "operations write the same bytes, more slowly.",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def _try(device: torch.device) -> None:
    """Raises DeviceError where the kernels give other bytes, or what Triton raises."""
    from gpen_fast.png.kernels.encode import on_device_by_kernels

    wanted, facts = on_device_by_torch(_pictures(), False)
    found, found_facts = on_device_by_kernels(_pictures().to(device), False)
    sizes = facts[:, 0].tolist()
    expected = torch.cat([one[:size] for one, size in zip(wanted, sizes, strict=True)])
    same = torch.equal(found_facts[:, :2].cpu(), facts)
    if not same or not torch.equal(found[: sum(sizes)].cpu(), expected):
        raise DeviceError(f"they give other bytes on {device} than torch operations on the CPU.")


def _pictures() -> Tensor:
    """(3,3,6,60) uint8: smooth colour with a flat part, the same in grey, and noise."""
    noise = torch.arange(3 * 6 * 60).view(3, 6, 60) ** 2 * 40503 >> 7
    smooth = ((noise & 3).cumsum(2) + (noise >> 4 & 3).cumsum(1)) * (torch.arange(60) > 20)
    return torch.stack([smooth, smooth[:1].expand(3, -1, -1), noise]).to(torch.uint8)
