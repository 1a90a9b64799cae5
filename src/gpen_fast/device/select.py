"""Which devices run: `auto`, `cpu`, `cuda`, `cuda:N`, or a list for --devices, become devices that are present."""

from __future__ import annotations

import torch

from gpen_fast.device.children import can_fork
from gpen_fast.errors import DeviceError, SettingsError, did_you_mean
from gpen_fast.settings import cpu_lanes


def pick_device(asked: str) -> torch.device:
    """Turns a device's name into a device that is present. Never falls back to another one.

    Args:
        asked: `auto` (the first GPU, or the CPU where there is none), `cpu`, `cuda` or `cuda:N`.

    Returns:
        The device; a GPU always with its number.

    Raises:
        SettingsError: `asked` is no such name.
        DeviceError: The GPU is not there; the message says why.
    """
    if asked == "auto":
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    try:
        device = torch.device(asked)
    except RuntimeError:
        device = None
    if device is None or device.type not in {"cpu", "cuda"}:
        near = did_you_mean(asked, ("auto", "cpu", "cuda", "cuda:0"))
        raise SettingsError(f"device {asked!r}: accepted are auto, cpu, cuda and cuda:N.{near}")
    if device.type == "cpu":
        return torch.device("cpu")
    return _cuda(asked, device.index or 0)


def pick_devices(asked: str) -> list[torch.device]:
    """Turns the value of --devices into devices that are present.

    Args:
        asked: `all` (every GPU; without one the CPU), GPU numbers with commas between (`0,1` or `cuda:0,cuda:1`), or
            `cpu:N`.

    Returns:
        Each GPU once; for `cpu:N` the CPU, once: see `cpu_lanes`.

    Raises:
        SettingsError: `asked` is none of these.
        DeviceError: A GPU is not there, or this system has no several processes on a CPU.
    """
    if asked == "all":
        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return [torch.device("cuda", number) for number in range(found)] or [torch.device("cpu")]
    if cpu_lanes(asked):
        if not can_fork():
            raise DeviceError(f"devices {asked!r}: only Linux has several processes on a CPU. Leave it out.")
        return [torch.device("cpu")]
    numbers = [part.strip().removeprefix("cuda:") for part in asked.split(",")]
    if not all(number.isdecimal() for number in numbers) or len(set(numbers)) < len(numbers):
        raise SettingsError(
            f"devices {asked!r}: accepted are all, different GPU numbers such as 0,1, and cpu:N with N from 1 up."
        )
    return [_cuda(f"cuda:{number}", int(number)) for number in numbers]


def _cuda(asked: str, index: int) -> torch.device:
    """GPU number `index`, or a DeviceError that tells a missing driver from a torch without CUDA."""
    if not torch.cuda.is_available():
        built = torch.version.cuda
        why = (
            f"torch is built for CUDA {built} but sees no GPU or driver"
            if built
            else "this torch has no CUDA"
        )
        raise DeviceError(f"device {asked!r} is not there: {why}. Try --device cpu.")
    if index >= torch.cuda.device_count():
        raise DeviceError(
            f"device {asked!r} is not there: {torch.cuda.device_count()} GPU(s) found, numbered from cuda:0."
        )
    return torch.device("cuda", index)


def describe(device: torch.device) -> str:
    """The device in words: the GPU's number and name, or the CPU with torch's number of threads."""
    if device.type == "cuda":
        return f"{device} {torch.cuda.get_device_name(device)}"
    return f"cpu, {torch.get_num_threads()} threads"
