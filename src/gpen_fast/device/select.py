"""Which device runs: `auto`, `cpu`, `cuda` or `cuda:N` becomes a device that is present."""

from __future__ import annotations

import torch

from gpen_fast.errors import DeviceError, SettingsError, did_you_mean


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
