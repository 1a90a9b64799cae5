"""`load_network`: from a checkpoint to a callable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from gpen_fast.device.precision import arithmetic, pick_precision
from gpen_fast.device.select import pick_device
from gpen_fast.errors import PictureError, SettingsError
from gpen_fast.gpen.checkpoint import State, build
from gpen_fast.gpen.cuda.kernels.steps import warn_once
from gpen_fast.gpen.folded.generator import switches
from gpen_fast.gpen.reference import FullGenerator
from gpen_fast.gpen.select import fold

FORMS = ("reference", "folded")


class Network:
    """A callable network: (B,3,S,S) RGB in [-1,1], any float dtype, to the same shape in float32.

    size: S in pixels. The result is on the network's device and nominally in [-1,1], not clamped.
    """

    def __init__(self, module: FullGenerator, form: str, precision: str, device: torch.device) -> None:
        self.config = module.config
        self.size = module.config.size
        self.form = form
        self.precision = precision
        self.device = device
        self._arithmetic = switches(precision) if form == "folded" else precision
        self._run = _folded(module, precision, device) if form == "folded" else module.to(device)

    def __call__(self, faces: Tensor) -> Tensor:
        """Raises PictureError for a shape other than (B,3,S,S) with B >= 1."""
        self._check(faces)
        with arithmetic(self._arithmetic, self.device):
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
    folding = fold(module, precision, device)
    if folding.note:
        warn_once(folding.note)
    return folding.run


def load_network(
    source: str | Path | State,
    *,
    form: str = "reference",
    precision: str = "fp32",
    device: str = "cpu",
    key: str | None = None,
) -> Callable[[Tensor], Tensor]:
    """Loads a GPEN generator, its figures inferred from the tensors' shapes.

    source: a checkpoint path (.pth and .pt are read with weights_only, .safetensors) or a state dict.
    form: `reference`, the published form, or `folded`, the same function several times faster. precision: fp32
    (TF32 off), tf32, bf16 or fp16; in the reference form the halves run under torch.autocast. key: the sub-key of
    a checkpoint that holds several state dicts.
    Returns a callable from (B,3,S,S) RGB in [-1,1] to the same shape, float32. Raises CheckpointError,
    DeviceError or SettingsError.
    """
    if form not in FORMS:
        raise SettingsError(f"form {form!r}: accepted are {', '.join(FORMS)}.")
    where = pick_device(device)
    return Network(build(source, key=key), form, pick_precision(precision, where).name, where)
