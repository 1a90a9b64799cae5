"""What is said of the originals before a run in place replaces them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gpen_fast.run.originals import bytes_to_keep
from gpen_fast.settings import OutputOptions

if TYPE_CHECKING:
    from gpen_fast.run.plan import Plan

_STEP = 1000


def print_backup(work: Plan, output: OutputOptions, to: TextIO) -> None:
    """Says before a run in place where the originals stay, and how much room they take.

    Args:
        work: What the run will do.
        output: Whether it replaces its inputs, and whether it keeps them.
        to: Where the line is printed.
    """
    if not output.in_place or not work.todo:
        return
    if output.no_backup:
        print("originals are not kept (--no-backup): gpen-fast undo cannot bring them back", file=to)
        return
    needed = bytes_to_keep(item.target for item in work.todo)
    free = min(_free(folder) for folder in {_device(path): path for path in _folders(work)}.values())
    short = f", and only {shown_bytes(free)} are free" if needed > free else ""
    print(
        f"originals are kept in .gpen-fast/originals of each folder: up to {shown_bytes(needed)} more on disk{short}; "
        "gpen-fast undo brings them back",
        file=to,
    )


def shown_bytes(count: int) -> str:
    """A size as people read it: 812 bytes, 3.4 MB."""
    size, units = float(count), ["kB", "MB", "GB", "TB"]
    if size < _STEP:
        return f"{count} bytes"
    while size >= _STEP and units:
        size, unit = size / _STEP, units.pop(0)
    return f"{size:.1f} {unit}"


def _folders(work: Plan) -> set[Path]:
    return {item.target.parent for item in work.todo}


def _device(folder: Path) -> int:
    return folder.stat().st_dev


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
