"""The interface of a generator backend, and the choice of one.

A file beside this one adds a backend: it declares FACTS (see `gpen_fast.plugins`) and defines
`create(network, precision, device) -> Backend`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from gpen_fast import plugins
from gpen_fast.device.failures import device_failures_named
from gpen_fast.errors import PluginError
from gpen_fast.gpen.reference import FullGenerator


class Backend(Protocol):
    """Runs the network over a batch of faces."""

    name: str
    """Its plug-in's name."""

    size: int
    """Side of a face, pixels."""

    default_batch: int
    """Faces per call that suit the device."""

    def __call__(self, faces: Tensor) -> Tensor:
        """Restores a batch without waiting for the device.

        Args:
            faces: (B,3,S,S) float32 RGB in [-1,1].

        Returns:
            The same shape and dtype, nominally in [-1,1].
        """

    def exact(self, faces: Tensor) -> Tensor:
        """The same in fp32, for faces whose result in half precision is invalid."""


@runtime_checkable
class Graphed(Protocol):
    """What a backend also offers where it holds memory in order to be faster."""

    notes: list[str]
    """Why it runs slower than it could; empty where it does not."""

    def expect(self, batch: int) -> None:
        """Announces calls of up to `batch` faces."""

    def relieve(self, batch: int) -> bool:
        """Frees memory that it can do without, to make room for `batch` faces; False where it held none."""


def check_backend(name: str, device: torch.device) -> str:
    """Resolves a backend's name, before the network is there.

    Args:
        name: `auto`, or a plug-in's name.
        device: Where it is to run.

    Returns:
        The plug-in's name.

    Raises:
        PluginError: There is no such plug-in, it lacks a package, or it does not run on this device.
    """
    chosen = auto_backend(device.type) if name == "auto" else name
    plugins.load_plugin("generate", chosen)
    devices = plugins.facts("generate")[chosen].devices
    if device.type not in devices:
        raise PluginError(
            f"backend {chosen!r} runs on {' and '.join(devices)}, and this runs on {device}. Try --backend auto."
        )
    return chosen


def open_backend(name: str, network: FullGenerator, precision: str, device: torch.device) -> Backend:
    """Opens a backend.

    Args:
        name: `auto`, or a plug-in's name.
        network: The network in its published form, on the CPU.
        precision: fp32, tf32, bf16 or fp16.
        device: Where it runs.

    Returns:
        The backend, its weights on the device.

    Raises:
        PluginError: There is no such plug-in, it lacks a package, or it does not run on this device.
        DeviceError: The GPU failed.
    """
    chosen = check_backend(name, device)
    with failures_named(chosen):
        backend: Backend = plugins.load_plugin("generate", chosen).create(network, precision, device)
    return backend


def auto_backend(device_type: str) -> str:
    """Resolves `auto`: the best backend that runs on devices of this type, cpu or cuda."""
    known = plugins.facts("generate")
    return next(name for name in plugins.automatic("generate") if device_type in known[name].devices)


def failures_named(backend: str) -> AbstractContextManager[None]:
    """Raises a failure of the GPU inside the block as a DeviceError that names a way around this backend."""
    advice = "--device cpu" if backend == "eager" else "--backend eager, or --device cpu"
    return device_failures_named(f"backend {backend!r}", advice)
