"""Device, driver, kernels, precisions, memory and disk."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gpen_fast.doctor.findings import ABSENT, BROKEN, OK, Finding
from gpen_fast.errors import DeviceError, summary
from gpen_fast.settings import WeightsOptions

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_GIB = 2**30
# Largest relative L2 error, against fp64, of a convolution that sums 72 products: about ten times the errors of correct
# arithmetic (measured: fp32 1e-7, bf16 3e-3 on a CPU).
_ERRORS = {"fp32": 1e-5, "tf32": 5e-3, "bf16": 3e-2, "fp16": 5e-3}


def device(name: str) -> Iterator[Finding]:
    """Finds Python, torch, the NVIDIA driver and the device.

    Args:
        name: The device, as `--device` takes it.
    """
    import torch

    from gpen_fast.device.select import describe, pick_device

    yield Finding(
        "device", "python", OK, f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    yield Finding(
        "device", "torch", OK, _torch_build(torch.__version__, torch.version.cuda, torch.version.hip)
    )
    driver = _driver()
    yield Finding("device", "NVIDIA driver", OK if driver else ABSENT, driver or "none")
    try:
        found = describe(pick_device(name))
    except DeviceError as error:
        yield Finding("device", "device", BROKEN, summary(error), needed=True, mend="--device cpu, or auto")
        return
    yield Finding("device", "device", OK, found, needed=True)
    if driver and not torch.cuda.is_available():
        yield Finding(
            "device", "CUDA", BROKEN, f"the driver {driver} is installed, but torch sees no GPU",
            mend="install the torch build that fits the driver: https://pytorch.org/get-started/locally",
        )  # fmt: skip


def _torch_build(version: str, cuda: str | None, hip: str | None) -> str:
    """The release and the build of torch, by the name of its folder in PyTorch's index: cpu, cu126 or rocm6.4."""
    _, _, build = version.partition("+")
    if not build:  # PyPI's own builds do not name it
        build = f"cu{cuda.replace('.', '')}" if cuda else f"rocm{hip}" if hip else "cpu"
    return f"{version}, build {build} ({f'CUDA {cuda}' if cuda else 'no CUDA'})"


def _driver() -> str | None:
    """The NVIDIA driver's version, from nvidia-smi, else from the kernel module; None without a driver."""
    try:
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True)
        return done.stdout.split()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        kernel = Path("/proc/driver/nvidia/version")
        return kernel.read_text(errors="replace").splitlines()[0] if kernel.is_file() else None


def precisions(device: str) -> Iterator[Finding]:
    """Runs a small convolution in each precision and compares it with fp64 on the CPU."""
    from gpen_fast.device.precision import cpu_has_bf16, pick_precision
    from gpen_fast.device.select import pick_device

    where = pick_device(device)
    chosen = pick_precision("auto", where).name
    for name in _ERRORS:
        try:
            pick_precision(name, where)
            error = _error_of(name, where)
        except DeviceError as absent:
            yield Finding("precision", name, ABSENT, _why(absent, name))
        except Exception as broken:  # a broken driver or kernel can raise anything
            yield Finding("precision", name, BROKEN, summary(broken), needed=name in {"fp32", chosen})
        else:
            slow = name == "bf16" and where.type == "cpu" and not cpu_has_bf16()
            text = f"relative error {error:.0e}" + (", emulated, slower than fp32" if slow else "")
            right = error <= _ERRORS[name]
            auto = ", used by auto" if name == chosen else ""
            yield Finding(
                "precision", name, OK if right else BROKEN,
                text + auto if right else f"{text}: wrong results, accepted is at most {_ERRORS[name]:.0e}",
                needed=name in {"fp32", chosen},
                mend="" if right else f"do not use --precision {name}; update the driver and torch",
            )  # fmt: skip


def kernels(device: str) -> Iterator[Finding]:
    """Compiles the generator's kernels and compares them with torch; yields nothing without CUDA."""
    from gpen_fast.device.precision import pick_precision
    from gpen_fast.device.select import pick_device
    from gpen_fast.gpen.cuda.kernels.kernel_set import kernel_failure
    from gpen_fast.gpen.folded.generator import DTYPES

    where = pick_device(device)
    if where.type != "cuda":
        return
    why = kernel_failure(where, DTYPES[pick_precision("auto", where).name])
    yield Finding(
        "device", "GPEN's kernels", BROKEN if why else OK,
        why or "compiled, and equal to torch",
        mend="pip install -U triton; until then torch runs instead" if why else "",
    )  # fmt: skip


def _why(absent: DeviceError, name: str) -> str:
    """The reason alone: the table names the precision, and there is nothing that the user could try."""
    return summary(absent).removeprefix(f"precision {name} ").split(". Try")[0]


def _error_of(name: str, where: torch.device) -> float:
    """Relative L2 error of a convolution in one precision against fp64."""
    import torch.nn.functional as F

    from gpen_fast.device.precision import arithmetic

    # (1,8,16,16) and (8,8,3,3): each output value sums 72 products.
    x, weight = _waves((1, 8, 16, 16)), _waves((8, 8, 3, 3))
    exact = F.conv2d(x.double(), weight.double(), padding=1)
    with arithmetic(name, where):
        got = F.conv2d(x.to(where), weight.to(where), padding=1).double().cpu()
    return float((got - exact).norm() / exact.norm())


def _waves(shape: tuple[int, ...]) -> Tensor:
    """Float32 values in [-1,1] without a visible pattern, equal on every machine."""
    import torch

    count = torch.Size(shape).numel()
    return torch.sin(torch.arange(count, dtype=torch.float64).square()).float().reshape(shape)


def space(device: str, weights: WeightsOptions) -> Iterator[Finding]:
    """Finds the free memory of host and device, and the free space on the disks of weights and pictures.

    Args:
        device: The device, as `--device` takes it.
        weights: Where weights are stored.
    """
    from gpen_fast.store.folders import download_folder

    free = _free_memory()
    yield Finding(
        "space", "memory", OK if free else ABSENT, _gib(free) if free else "this system does not say"
    )
    yield from _device_memory(device)
    for name, folder in (("disk: weights", download_folder(weights)), ("disk: here", Path())):
        existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        yield Finding("space", name, OK, f"{_gib(shutil.disk_usage(existing).free)} ({folder.absolute()})")


def _device_memory(device: str) -> Iterator[Finding]:
    import torch

    from gpen_fast.device.select import pick_device

    where = pick_device(device)
    if where.type == "cuda":
        free, total = torch.cuda.mem_get_info(where)
        yield Finding("space", "GPU memory", OK, f"{_gib(free)} of {total / _GIB:.1f} GiB")


def _free_memory() -> int | None:
    """Bytes of memory that programs can still allocate; None if the system does not say."""
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB free"
