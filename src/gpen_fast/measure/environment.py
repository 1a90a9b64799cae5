"""What figures depend on beside the settings: device, libraries and the commit of the code."""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path

import torch

from gpen_fast.device.select import describe
from gpen_fast.measure.report_parts import DeviceFacts


def device_facts(device: torch.device) -> DeviceFacts:
    """The device, and the versions of what runs on it."""
    return DeviceFacts(
        type=device.type,
        name=describe(device),
        processor=processor_name(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        cuda=torch.version.cuda if device.type == "cuda" else None,
        python=platform.python_version(),
    )


def processor_name() -> str:
    """The processor's name as the system tells it; its architecture where that is all that is known."""
    cpuinfo = Path("/proc/cpuinfo")
    found = (
        re.search(r"^model name\s*:\s*(\S.*)$", cpuinfo.read_text(errors="replace"), re.MULTILINE)
        if cpuinfo.exists()
        else None
    )
    return found[1].strip() if found else platform.processor() or platform.machine()


def commit() -> str | None:
    """The commit of the checkout that the package runs from, with `-dirty` for local changes; None if installed."""
    package = Path(__file__).parents[1]
    root = package.parents[1]
    # A package that is installed below another project's repository must not report that project's commit.
    if package.parent.name != "src" or not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        # Seconds. A repository on a stuck network drive must not hold up the report.
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
