"""Which files the inputs of a command name: patterns, folders and links followed. Imports no torch."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gpen_fast.errors import InputsError

Told = list[tuple[Path, str]]
_GLOB_MARKS = frozenset("*?[")


def real(path: Path) -> Path:
    """The path with its links followed; unlike `Path.resolve`, a loop of links is no error."""
    return Path(os.path.realpath(path))


def is_folder(path: Path) -> bool:
    """`Path.is_dir` without an error for a name that no file system takes."""
    return os.path.isdir(path)  # noqa: PTH112


def exists(path: Path) -> bool:
    """`Path.exists` without an error for a name that no file system takes."""
    return os.path.exists(path)  # noqa: PTH110


def expanded(inputs: Iterable[str], out: Path | None) -> list[Path]:
    """The named files and folders; patterns that no shell has expanded become what they fit, without `out`."""
    names: list[Path] = []
    for text in inputs:
        if not _GLOB_MARKS & set(text) or exists(Path(text)):
            names.append(Path(text))
        else:
            names.extend(_fitting(text, out))
    # What a shell made of in/* names the output folder too.
    return [name for name in names if len(names) == 1 or out is None or real(name) != real(out)]


def walk(folder: Path, out: Path | None, failed: Told, notes: Told) -> Iterator[Path]:
    """All files below, sorted, without those in `out`; links are followed, each folder once.

    Folders that cannot be read are added to `failed`, links that lead back to `notes`.
    """

    def note(error: OSError) -> None:
        failed.append((Path(error.filename), (error.strerror or "cannot be read").lower()))

    seen: dict[Path, Path] = {}
    for here, folders, files in os.walk(folder, onerror=note, followlinks=True):
        place = real(Path(here))
        if place == out or place in seen:
            if place in seen:
                notes.append((Path(here), f"leads to {seen[place]} again, which is gone through once."))
            folders.clear()
            continue
        seen[place] = Path(here)
        folders.sort()
        yield from (Path(here) / file for file in sorted(files))


def _fitting(pattern: str, out: Path | None) -> list[Path]:
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
    if not found:
        raise InputsError(f"{pattern}: the pattern fits no file.")
    if out is None:
        return [Path(name) for name in found]
    # A recursive pattern finds results below the folder that it starts in; next to the inputs they are inputs.
    below = any(_is_in(out, Path(name).parent) and not _is_in(Path(name), out) for name in found)
    return [Path(name) for name in found if not (below and _is_in(Path(name), out))]


def _is_in(name: Path, folder: Path) -> bool:
    return real(folder) in (real(name), *real(name).parents)
