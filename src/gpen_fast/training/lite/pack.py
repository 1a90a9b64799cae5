"""One file with the code and the training data, for a machine with torch, numpy, Pillow and typer, and no network."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.training.lite.sets import read_sets

LIMIT = 60_000_000
"""Bytes of the file, at most."""
_ROOT = "gpen-lite2"
_SCRIPT = """#!/bin/sh
# Trains for {minutes:g} minutes, or resumes; the state is in $OUT, or in the folder run beside this file.
cd "$(dirname "$0")" || exit 1
export PYTHONPATH="$PWD/src" PYTHONUNBUFFERED=1
exec "${{PYTHON:-python3}}" -m gpen_fast.training.lite train {sets} --out "${{OUT:-run}}" --minutes {minutes:g} "$@"
"""


def pack_run(folders: Sequence[Path], out: Path, minutes: float) -> int:
    """Writes the file.

    Args:
        folders: The sets' folders.
        out: The .tar to write; pictures are compressed already.
        minutes: The time that its script trains for.

    Returns:
        Its size in bytes.

    Raises:
        InputsError: The file would be larger than `LIMIT`, or a set cannot be read.
    """
    read_sets(folders)
    package = Path(__file__).parents[2]
    names = [f"data/{i}" for i in range(len(folders))]
    part = out.with_name(out.name + ".part")
    with tarfile.open(part, "w") as tar:
        for path in sorted(package.rglob("*")):
            if path.suffix in {".py", ".toml", ".json"} and "__pycache__" not in path.parts:
                tar.add(path, f"{_ROOT}/src/gpen_fast/{path.relative_to(package)}")
        for folder, name in zip(folders, names, strict=True):
            _add_set(tar, folder, f"{_ROOT}/{name}")
        sets = " ".join(f"--data {name}" for name in names)
        _add(tar, f"{_ROOT}/train.sh", _SCRIPT.format(minutes=minutes, sets=sets).encode())
    size = part.stat().st_size
    if size > LIMIT:
        part.unlink()
        raise InputsError(f"{out}: {size / 1e6:.1f} MB, accepted are {LIMIT / 1e6:g} MB. Pack fewer sets.")
    part.replace(out)
    return size


def _add_set(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    """Adds the manifest and the pictures that it names."""
    tar.add(folder / "manifest.csv", f"{name}/manifest.csv")
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tar.add(folder / row["file"], f"{name}/{row['file']}")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o755
    tar.addfile(member, io.BytesIO(content))
