"""Which files the inputs of a command name: patterns, folders and links followed. Imports no torch."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.files import STATE_FOLDER

# Suffixes of the files that are taken for pictures; their content then decides.
PICTURES = frozenset(
    {"jpg", "png", "webp", "bmp", "tif", "heic", "heif", "hif", "avif", "gif", "jp2", "j2k", "jpx"}
).union(("pbm", "pgm", "pnm", "ppm", "psd", "tga", "mpo"))
# Paths, each with a sentence for the user.
Told = list[tuple[Path, str]]
_GLOB_MARKS = frozenset("*?[")
# Between the parts of a path.
_SEPARATORS = "|".join(re.escape(mark) for mark in (os.sep, os.altsep) if mark)


def real(path: Path) -> Path:
    """The path with its links followed. Unlike `Path.resolve`, it accepts a loop of links."""
    return Path(os.path.realpath(path))


def is_folder(path: Path) -> bool:
    """`Path.is_dir`, but False and no error for a name that the file system refuses."""
    return os.path.isdir(path)  # noqa: PTH112


def exists(path: Path) -> bool:
    """`Path.exists`, but False and no error for a name that the file system refuses."""
    return os.path.exists(path)  # noqa: PTH110


def expanded(inputs: Iterable[str], out: Path | None) -> list[Path]:
    """The files and folders that the inputs name.

    Args:
        inputs: Paths and glob patterns. A path that exists is never a pattern, nor is a folder within a pattern that
            exists by that name: in `albums [1950-1960]/*.jpg` only the star is one.
        out: The output, which is left out unless it is the only input. None: nothing is left out.

    Raises:
        InputsError: A pattern matches no file.
    """
    names: list[Path] = []
    for text in inputs:
        if not _GLOB_MARKS & set(text) or exists(Path(text)):
            names.append(Path(text))
        else:
            names.extend(_matching(text, out))
    # A shell that expands in/* names an output folder in/out too.
    return [name for name in names if len(names) == 1 or out is None or real(name) != real(out)]


def walk(folder: Path, out: Path | None, failed: Told, notes: Told) -> Iterator[Path]:
    """All files below a folder, sorted within each folder. Links are followed, and each folder is walked once.

    A folder that lies in the tree itself is walked at its own place, not where a link leads to it: the tree is kept.
    Folders named `STATE_FOLDER` are left out: they hold records of earlier runs.

    Args:
        folder: Where to start.
        out: A real path: this folder and what lies in it is left out.
        failed: Is told of folders that cannot be read.
        notes: Is told of links that lead back to a folder already walked.
    """

    def note(error: OSError) -> None:
        failed.append((Path(error.filename), (error.strerror or "cannot be read").lower()))

    seen: dict[Path, Path] = {}
    own: dict[Path, Path] = {}
    for here, folders, files in os.walk(folder, onerror=note, followlinks=True):
        place = real(Path(here))
        if not own and seen and Path(here).is_symlink():
            own = _own_folders(folder)
        first = seen.get(place) or own.get(place, Path(here))
        if place == out or first != Path(here):
            if place != out:
                notes.append((Path(here), f"leads back to {first}, which is walked once."))
            folders.clear()
            continue
        seen[place] = first
        folders[:] = sorted(name for name in folders if name != STATE_FOLDER)
        yield from (Path(here) / file for file in sorted(files))


def _own_folders(folder: Path) -> dict[Path, Path]:
    """Every folder of a tree that no link leads to, by its real path."""
    places = (Path(here) for here, _, _ in os.walk(folder))
    return {real(place): place for place in places}


def _found(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  Path.glob refuses an absolute pattern


def _with_literal_parts(pattern: str) -> str:
    """The pattern in which each part that exists by that very name stands for itself."""
    made = ""
    for part in re.split(f"({_SEPARATORS})", pattern):
        literal = glob.escape(part)
        made += literal if literal != part and _found(made + literal) else part
    return made


def _matching(pattern: str, out: Path | None) -> list[Path]:
    # Brackets in a name such as `1950 [a]*.jpg` are literal where nothing matches them as a set of characters.
    found = _found(_with_literal_parts(pattern)) or _found(pattern.replace("[", "[[]"))
    if not found:
        raise InputsError(f"{pattern}: the pattern matches no file.")
    if out is None:
        return [Path(name) for name in found]
    # in/** also finds what an earlier run wrote into in/out. Where `out` lies elsewhere, what is in it was named on
    # purpose.
    below = any(_is_in(out, Path(name).parent) and not _is_in(Path(name), out) for name in found)
    return [Path(name) for name in found if not (below and _is_in(Path(name), out))]


def _is_in(name: Path, folder: Path) -> bool:
    return real(folder) in (real(name), *real(name).parents)
