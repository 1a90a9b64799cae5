"""From command-line inputs to a plan: which picture becomes which file. Imports no torch."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.settings import SAME, Output, suffix_of

PICTURES = frozenset({"jpg", "png", "webp", "bmp", "tif", "tiff"})
# Suffixes that no folder is meant to have.
_OTHER_PICTURES = frozenset({"gif", "avif", "heic", "jp2", "ppm"})
_GLOB_MARKS = frozenset("*?[")


@dataclass(frozen=True)
class Item:
    """One picture and the file it becomes."""

    source: Path
    target: Path


@dataclass
class Plan:
    """What a run will do.

    todo: what to restore. skipped: their results exist already. ignored: files that are no pictures. failed:
    what cannot be read at all, with why.
    """

    todo: list[Item] = field(default_factory=list)
    skipped: list[Item] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)


def plan(inputs: Iterable[str], out: Path, output: Output) -> Plan:
    """Checks inputs and output together before any work starts. Raises InputsError, one sentence each.

    A folder is walked recursively and its tree kept; `out` and what lies in it is left out. One file and an
    `out` that ends in a format's suffix is one file. A file named twice is restored once. Results that exist
    are skipped unless `output.overwrite`.
    """
    names = expanded(inputs, out)
    _refuse_bad_output(names, out)
    made = Plan()
    items: dict[Path, Item] = {}
    for source, relative in _pictures(names, out, made):
        target = out if is_one_file(names, out) else out / relative.with_suffix("." + _suffix(source, output))
        _add(items, Item(source, target))
    if not items and not made.failed:
        raise InputsError(
            f"no picture in {', '.join(map(str, names))} ({len(made.ignored)} other files). "
            f"Accepted suffixes: {', '.join(sorted(PICTURES))}."
        )
    sources = {item.source.resolve() for item in items.values()}
    for item in items.values():
        if item.target.resolve() in sources:
            raise InputsError(f"{item.target}: would overwrite an input. Name another output.")
        (made.skipped if item.target.exists() and not output.overwrite else made.todo).append(item)
    return made


def expanded(inputs: Iterable[str], out: Path) -> list[Path]:
    """The named files and folders; patterns that no shell has expanded become what they fit, without `out`."""
    names: list[Path] = []
    for text in inputs:
        if Path(text).exists() or not _GLOB_MARKS & set(text):
            names.append(Path(text))
        else:
            names.extend(_fitting(text, out))
    # What a shell made of in/* names the output folder too.
    return [name for name in names if len(names) == 1 or name.resolve() != out.resolve()]


def is_one_file(names: list[Path], out: Path) -> bool:
    """Whether `out` is the name of the one file to write."""
    one = len(names) == 1 and not names[0].is_dir()
    return one and not out.is_dir() and suffix_of(out) in plugins.names("save")


def _fitting(pattern: str, out: Path) -> list[Path]:
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
    if not found:
        raise InputsError(f"{pattern}: the pattern fits no file.")
    # A recursive pattern finds results below the folder that it starts in; next to the inputs they are inputs.
    below = any(_is_in(out, Path(name).parent) and not _is_in(Path(name), out) for name in found)
    return [Path(name) for name in found if not (below and _is_in(Path(name), out))]


def _is_in(name: Path, folder: Path) -> bool:
    return folder.resolve() in (name.resolve(), *name.resolve().parents)


def _refuse_bad_output(names: list[Path], out: Path) -> None:
    for name in names:
        if not name.exists() and not name.is_symlink():
            raise InputsError(f"{name}: no such file or folder.")
        if name.is_dir() and out.resolve() == name.resolve():
            raise InputsError(
                f"{out}: the output folder is an input folder. Name another, results never mix."
            )
    formats = ", ".join(plugins.names("save"))
    if not out.is_dir() and not is_one_file(names, out) and suffix_of(out) in PICTURES | _OTHER_PICTURES:
        raise InputsError(
            f"{out}: is no folder, and one picture of these inputs cannot be written under that name. "
            f"Name a folder; or, for one input file, a name that ends in {formats}."
        )
    if out.exists() and not out.is_dir() and not is_one_file(names, out):
        raise InputsError(
            f"{out}: is a file. The output must be a folder, or a picture's name for one input file."
        )
    place = next(parent for parent in (out, *out.absolute().parents) if parent.exists())
    if place != out and not place.is_dir():
        raise InputsError(f"{out}: cannot be made, {place} is a file. Name another output.")
    if not os.access(place, os.W_OK):
        raise InputsError(f"{out}: cannot be written, {place} gives no permission. Name another output.")


def _suffix(source: Path, output: Output) -> str:
    """Formats that cannot be written become PNG under `same`."""
    if output.format != SAME:
        return output.format
    return source.suffix.removeprefix(".") if suffix_of(source) in plugins.names("save") else "png"


def _pictures(names: list[Path], out: Path, made: Plan) -> Iterator[tuple[Path, Path]]:
    """Every picture with its path below the input it came from; other files are noted in the plan."""
    seen: set[Path] = set()
    for name in names:
        for file in _walk(name, out.resolve(), made) if name.is_dir() else [name]:
            if suffix_of(file) not in PICTURES or file.name.startswith("."):
                made.ignored.append(file)
            elif not file.is_file():
                made.failed.append((file, "not a regular file, or a link that leads nowhere."))
            elif file.absolute() not in seen:
                seen.add(file.absolute())
                yield file, file.relative_to(name) if name.is_dir() else Path(file.name)


def _walk(folder: Path, out: Path, made: Plan) -> Iterator[Path]:
    """All files below, sorted; links are followed, each folder once; unreadable folders are noted."""

    def note(error: OSError) -> None:
        made.failed.append((Path(error.filename), (error.strerror or "cannot be read").lower()))

    seen: set[Path] = set()
    for here, folders, files in os.walk(folder, onerror=note, followlinks=True):
        place = Path(here).resolve()
        if place == out or place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders.sort()
        yield from (Path(here) / file for file in sorted(files))


def _add(items: dict[Path, Item], item: Item) -> None:
    other = items.get(item.target)
    if other is not None:
        raise InputsError(
            f"{other.source} and {item.source} would both become {item.target}. "
            "Try --format same, or restore them into different folders."
        )
    if item.target.is_dir():
        raise InputsError(
            f"{item.target}: is a folder where {item.source} is to be written. Name another output."
        )
    items[item.target] = item
