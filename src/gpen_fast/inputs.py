"""From command-line inputs to a plan: which picture becomes which file. Imports no torch."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.settings import Output, suffix_of

PICTURES = frozenset({"jpg", "png", "webp", "bmp", "tif", "tiff"})
_GLOB_MARKS = frozenset("*?[")


@dataclass(frozen=True)
class Item:
    """One picture and the file it becomes."""

    source: Path
    target: Path


@dataclass
class Plan:
    """todo: what to restore. skipped: their results exist already. ignored: files that are no pictures."""

    todo: list[Item] = field(default_factory=list)
    skipped: list[Item] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)


def plan(inputs: Iterable[str], out: Path, output: Output) -> Plan:
    """Checks inputs and output together before any work starts. Raises InputsError, one sentence each.

    A folder is walked recursively and its tree kept; `out` inside it is left out. One file and an `out` that
    ends in a picture's suffix is one file. Files that exist are skipped unless `output.overwrite`.
    """
    names = [Path(name) for text in inputs for name in _expand(text)]
    _refuse_same_folder(names, out)
    made = Plan()
    items: dict[Path, Item] = {}
    for source, relative in _pictures(names, out, made.ignored):
        target = (
            out if _is_one_file(names, out) else out / relative.with_suffix("." + _suffix(source, output))
        )
        _add(items, Item(source, target))
    if not items:
        raise InputsError(
            f"no picture in {', '.join(map(str, names))} ({len(made.ignored)} other files). "
            f"Accepted suffixes: {', '.join(sorted(PICTURES))}."
        )
    for item in items.values():
        (made.skipped if item.target.exists() and not output.overwrite else made.todo).append(item)
    return made


def single_suffix(inputs: list[str], out: Path) -> str | None:
    """The suffix of `out` where it names the one file to write."""
    return suffix_of(out) if _is_one_file([Path(name) for name in inputs], out) else None


def _expand(text: str) -> list[str]:
    """The files of a glob that no shell has expanded, else the name itself."""
    if Path(text).exists() or not _GLOB_MARKS & set(text):
        return [text]
    found = sorted(glob.glob(text, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
    if not found:
        raise InputsError(f"{text}: the pattern fits no file.")
    return found


def _refuse_same_folder(names: list[Path], out: Path) -> None:
    for name in names:
        if not name.exists():
            raise InputsError(f"{name}: no such file or folder.")
        if name.is_dir() and out.resolve() == name.resolve():
            raise InputsError(
                f"{out}: the output folder is an input folder. Name another, results never mix."
            )
    if out.exists() and not out.is_dir() and not _is_one_file(names, out):
        raise InputsError(
            f"{out}: is a file. The output must be a folder, or a picture's name for one input file."
        )


def _is_one_file(names: list[Path], out: Path) -> bool:
    one = len(names) == 1 and not names[0].is_dir()
    return one and not out.is_dir() and suffix_of(out) in plugins.names("save")


def _suffix(source: Path, output: Output) -> str:
    """Formats that cannot be written become PNG under `same`."""
    if output.format != "same":
        return output.format
    return source.suffix.removeprefix(".") if suffix_of(source) in plugins.names("save") else "png"


def _pictures(names: list[Path], out: Path, ignored: list[Path]) -> Iterator[tuple[Path, Path]]:
    """Every picture with its path below the input it came from; other files go into `ignored`."""
    for name in names:
        files = _walk(name, out.resolve()) if name.is_dir() else [name]
        for file in files:
            if suffix_of(file) in PICTURES and not file.name.startswith("."):
                yield file, file.relative_to(name) if name.is_dir() else Path(file.name)
            else:
                ignored.append(file)


def _walk(folder: Path, out: Path) -> Iterator[Path]:
    """All files below, sorted; links are followed, each folder once."""
    seen: set[Path] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        place = Path(here).resolve()
        if place == out or place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders.sort()
        yield from (Path(here) / file for file in sorted(files))


def _add(items: dict[Path, Item], item: Item) -> None:
    other = items.get(item.target)
    if other is not None and other.source != item.source:
        raise InputsError(
            f"{other.source} and {item.source} would both become {item.target}. "
            "Try --format same, or restore them into different folders."
        )
    if item.target.resolve() == item.source.resolve():
        raise InputsError(f"{item.target}: would overwrite its own input. Name another output.")
    items[item.target] = item
