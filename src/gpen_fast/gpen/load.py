"""`load_network`: from a checkpoint to a callable."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from gpen_fast.device.fork import ForkGuard, ready_after_fork
from gpen_fast.device.precision import arithmetic, pick_precision
from gpen_fast.device.select import pick_device
from gpen_fast.errors import PictureError, SettingsError
from gpen_fast.gpen.checkpoint import State, build
from gpen_fast.gpen.folded.generator import arithmetic_for
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.gpen.select import select_form

FormName = Literal["reference", "folded"]


class Network:
    """A callable network: (B,3,S,S) RGB in [-1,1], any float dtype, to the same shape in float32.

    The result is on the network's device, nominally in [-1,1] and not clamped.

    Args:
        module: The reference network. With `form` "reference" it is moved to `device` in place.
        form: `reference`, the published form, or `folded`, the same function several times faster.
        precision: fp32, tf32, bf16 or fp16.
        device: Where it runs.
    """

    def __init__(self, module: FullGenerator, form: FormName, precision: str, device: torch.device) -> None:
        self.config = module.config
        self.size = module.config.size
        self.form = form
        self.precision = precision
        self.device = device
        self._guard = ForkGuard(device)
        self._arithmetic = arithmetic_for(precision) if form == "folded" else precision
        self._run = _folded(module, precision, device) if form == "folded" else module.to(device)

    def __call__(self, faces: Tensor) -> Tensor:
        """Restores faces.

        Args:
            faces: (B,3,S,S) RGB in [-1,1] with B >= 1, any float dtype, on any device.

        Raises:
            PictureError: The faces have another shape.
            DeviceError: This process was forked, and the network cannot run in it.
        """
        self._check(faces)
        with self._guard.at_work(), arithmetic(self._arithmetic, self.device):
            return self._run(faces.to(self.device, torch.float32)).float()

    def _check(self, faces: Tensor) -> None:
        if faces.ndim != 4 or faces.shape[0] < 1 or tuple(faces.shape[1:]) != (3, self.size, self.size):
            raise PictureError(
                f"faces of shape {tuple(faces.shape)}: accepted is (B,3,{self.size},{self.size}), RGB in [-1,1]."
            )

    def __repr__(self) -> str:
        return (
            f"Network(size={self.size}, form={self.form!r}, precision={self.precision!r}, "
            f"device={str(self.device)!r})"
        )


def _folded(module: FullGenerator, precision: str, device: torch.device) -> Callable[[Tensor], Tensor]:
    form = select_form(module, precision, device)
    if form.note:
        warn_once(form.note)
    return form.run


@cache
def warn_once(note: str) -> None:
    """Gives a note as a Python warning, once in the process: `load_network` has no report to put it into."""
    warnings.warn(note, RuntimeWarning, stacklevel=3)


def load_network(
    source: str | Path | State,
    *,
    form: FormName = "reference",
    precision: str = "fp32",
    device: str = "cpu",
    key: str | None = None,
) -> Callable[[Tensor], Tensor]:
    """Loads a GPEN generator; its size and widths are inferred from its tensors.

    Args:
        source: A checkpoint path (.safetensors, or .pth and .pt, which are read with weights_only) or a state dict.
        form: `reference`, the published form, or `folded`, the same function several times faster.
        precision: fp32 (TF32 off), tf32, bf16 or fp16, or auto or half for what the device has. In the reference
            form bf16 and fp16 run under torch.autocast.
        device: auto, cpu, cuda or cuda:N.
        key: The name of the state dict to take, in a checkpoint that holds several.

    Returns:
        A callable from (B,3,S,S) RGB in [-1,1] to the same shape, float32, not clamped.

    Raises:
        CheckpointError: The file cannot be read, or is not a GPEN generator.
        DeviceError: The device is not there, or lacks the precision.
        SettingsError: An argument is none of the accepted names.
    """
    if form not in get_args(FormName):
        raise SettingsError(f"form {form!r}: accepted are {', '.join(get_args(FormName))}.")
    ready_after_fork()
    where = pick_device(device)
    return Network(build(source, key=key), form, pick_precision(precision, where).name, where)
