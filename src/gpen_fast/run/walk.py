"""Which files the inputs of a command name: patterns, folders and links followed. Imports no torch."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class WalkedFolder:
    """A folder of a tree and the files in it, sorted by name."""

    path: str
    """The folder's path, as the input that was walked names it."""

    files: list[os.DirEntry[str]]
    """What in it is no folder."""

    def below(self, name: str) -> str:
        """The path of a file in it."""
        return prefix_of(self.path) + name


def prefix_of(folder: str) -> str:
    """What stands before the names in a folder: nothing in the current one, as in a `Path`."""
    return "" if folder == os.curdir else os.path.join(folder, "")  # noqa: PTH118


def split_name(name: str) -> tuple[str, str]:
    """A file's name without its suffix, and the suffix with its dot: those of `Path`, in a tenth of the time."""
    at = name.rfind(".")
    return (name[:at], name[at:]) if 0 < at < len(name) - 1 else (name, "")


def walk(folder: Path, out: Path | None, failed: Told, notes: Told) -> Iterator[Path]:
    """All files that `walk_folders` finds."""
    for found in walk_folders(folder, out, failed, notes):
        yield from (Path(found.below(file.name)) for file in found.files)


def walk_folders(folder: Path, out: Path | None, failed: Told, notes: Told) -> Iterator[WalkedFolder]:
    """All folders of a tree, sorted, each before those below it. Links are followed, and each folder is walked once.

    A folder that lies in the tree itself is walked at its own place, not where a link leads to it: the tree is kept.
    Folders named `STATE_FOLDER` are left out: they hold records of earlier runs.

    Args:
        folder: Where to start.
        out: A real path: this folder and what lies in it is left out.
        failed: Is told of folders that cannot be read.
        notes: Is told of links that lead back to a folder already walked.
    """
    seen: dict[str, str] = {}
    own: dict[str, str] = {}
    waiting = [os.fspath(folder)]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as found:
                entries = sorted(found, key=_name)
        except OSError as error:
            failed.append((Path(here), (error.strerror or "cannot be read").lower()))
            continue
        place = os.path.realpath(here)
        if not own and seen and os.path.islink(here):  # noqa: PTH114
            own = _own_folders(folder)
        first = seen.get(place) or own.get(place, here)
        if out is not None and place == os.fspath(out):
            continue
        if first != here:
            notes.append((Path(here), f"leads back to {first}, which is walked once."))
            continue
        seen[place] = first
        folders = [entry.name for entry in entries if _leads_to_folder(entry)]
        names = set(folders)
        walked = WalkedFolder(here, [entry for entry in entries if entry.name not in names])
        yield walked
        waiting += [walked.below(name) for name in reversed(folders) if name != STATE_FOLDER]


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _own_folders(folder: Path) -> dict[str, str]:
    """Every folder of a tree that no link leads to, by its real path."""
    return {os.path.realpath(here): os.fspath(Path(here)) for here, _, _ in os.walk(folder)}


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
