"""What a generator backend is. One file beside this one adds one: it offers `create(network, precision, device)`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from gpen_fast import plugins
from gpen_fast.device.failures import device_failures_named
from gpen_fast.gpen.reference import FullGenerator

AUTO = {"cpu": "folded", "cuda": "folded"}


class Backend(Protocol):
    """Runs the network on a batch of faces."""

    name: str
    size: int
    """Side of a face, pixels."""
    default_batch: int
    """Faces per call that suit the device."""

    def __call__(self, faces: Tensor) -> Tensor:
        """(B,3,S,S) float32 RGB in [-1,1] to the same, nominally in [-1,1]. Does not wait for the device."""

    def exact(self, faces: Tensor) -> Tensor:
        """The same in fp32, for faces that half precision broke."""


@runtime_checkable
class Graphed(Protocol):
    """What a backend may offer besides, where it holds memory to be faster."""

    notes: list[str]
    """Why it runs slower than it might, if it does."""

    def expect(self, batch: int) -> None:
        """Calls will be of up to `batch` faces."""

    def relieve(self, batch: int) -> bool:
        """Lets go of memory that it can do without, to make room for `batch` faces; whether it had any."""


def open_backend(name: str, network: FullGenerator, precision: str, device: torch.device) -> Backend:
    """The backend of that name, `auto` resolved."""
    chosen = AUTO[device.type] if name == "auto" else name
    with failures_named(chosen):
        backend: Backend = plugins.load("generate", chosen).create(network, precision, device)
    return backend


def failures_named(backend: str) -> AbstractContextManager[None]:
    """A GPU's failure inside the block as a DeviceError that names a way around this backend."""
    advice = "--device cpu" if backend == "eager" else "--backend eager, or --device cpu"
    return device_failures_named(f"backend {backend!r}", advice)
