"""From command-line inputs to a plan: which picture becomes which file. Imports no torch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.files import STATE_FOLDER, nearest_file
from gpen_fast.run.earlier import refuse_results_as_inputs, without_results
from gpen_fast.run.originals import cause_against_keeping
from gpen_fast.run.walk import PICTURES, Told, exists, expanded, is_folder, real, walk
from gpen_fast.settings import SAME, OutputOptions, suffix_of

# Formats that are not read. A user who names an output so means a file, not a folder.
_OTHER_PICTURES = frozenset({"gif", "jp2", "ppm"})
# Bytes in a file's name: the limit of ext4, XFS, APFS and NTFS (there in UTF-16 units).
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Item:
    """One picture and the file it becomes."""

    source: Path
    """The picture's file."""

    target: Path
    """The result's file; the picture's own in place."""


@dataclass
class Plan:
    """What a run will do."""

    todo: list[Item] = field(default_factory=list)
    """What is to be restored, in this order."""

    skipped: list[Item] = field(default_factory=list)
    """Pictures whose results exist."""

    ignored: list[Path] = field(default_factory=list)
    """Files that are not pictures."""

    failed: Told = field(default_factory=list)
    """Pictures that cannot be read or written at all, with the reason."""

    notes: Told = field(default_factory=list)
    """What the user may not expect, with the path it is about."""


def plan(inputs: Iterable[str], out: Path | None, output: OutputOptions) -> Plan:
    """Checks inputs and output together before any work starts.

    A folder is walked recursively and its tree kept; `out` and what lies in it is left out. A file that is named twice
    is restored once.

    Args:
        inputs: Files, folders and glob patterns. With --in-place, one that looks like the results of the others is
            refused.
        out: A folder; or, for one input file, a name that ends in the suffix of a format. None in place: each picture
            is its own target.
        output: How results are named. Those that exist are skipped unless `overwrite` is set.

    Returns:
        What is to be done, and what is left out and why.

    Raises:
        InputsError: Inputs and output cannot work together. The message says why and what to try.
    """
    names = expanded(inputs, out)
    _refuse_bad_inputs(names)
    if out is not None:
        _refuse_bad_output(names, out, output)
    elif len(names) > 1:
        refuse_results_as_inputs(names)
    made = Plan()
    items: dict[Path, Item] = {}
    for source, relative in without_results(list(_pictures(names, out, made)), out, output, made.notes):
        item = Item(source, _target(source, relative, names, out, output))
        if cause := _cause_against(item, output):
            made.failed.append((source, cause))
        else:
            _add(items, item, output)
    _refuse_nothing(items, made, names)
    _refuse_overwritten_inputs(items, output)
    for item in items.values():
        (made.skipped if _is_done(item, output) else made.todo).append(item)
    _note_other_formats(made, output)
    return made


def is_one_file(names: list[Path], out: Path | None) -> bool:
    """Whether `out` is the name of the one file to write."""
    one = len(names) == 1 and not is_folder(names[0])
    return one and out is not None and not is_folder(out) and suffix_of(out) in plugins.names("save")


def _refuse_bad_inputs(names: list[Path]) -> None:
    for name in names:
        if not os.path.lexists(name):
            raise InputsError(f"{name}: no such file or folder.{nearest_file(name)}")


def _refuse_bad_output(names: list[Path], out: Path, output: OutputOptions) -> None:
    one = is_one_file(names, out)
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in out.parts):
        raise InputsError(f"{out}: the name is too long. File systems accept {_LONGEST_NAME} bytes at most.")
    if one and output.suffix:
        raise InputsError(
            f"--suffix {output.suffix} and the output name {out} contradict each other: leave one out."
        )
    for name in names:
        if is_folder(name) and real(out) == real(name) and not output.suffix:
            raise InputsError(
                f"{out}: the output folder is an input folder. Name another; or give --suffix _restored for results "
                "beside the inputs, --in-place for results that replace them."
            )
    formats = ", ".join(plugins.names("save"))
    if not is_folder(out) and not one and suffix_of(out) in PICTURES | _OTHER_PICTURES:
        raise InputsError(
            f"{out}: is not a folder, and these inputs cannot be written to one file of that name. "
            f"Name a folder; or, for one input file, a name that ends in {formats}."
        )
    if exists(out) and not is_folder(out) and not one:
        raise InputsError(
            f"{out}: is a file. The output must be a folder, or a picture's name for one input file."
        )
    if out.is_symlink() and not exists(out):
        raise InputsError(f"{out}: is a broken link. Name another output.")
    place = next(parent for parent in (out, *out.absolute().parents) if exists(parent))
    if place != out and not is_folder(place):
        raise InputsError(f"{out}: cannot be created: {place} is a file. Name another output.")
    if not os.access(place, os.W_OK):
        raise InputsError(
            f"{out}: cannot be written: no permission to write to {place}. Name another output."
        )


def _refuse_nothing(items: dict[Path, Item], made: Plan, names: list[Path]) -> None:
    if not items and not made.failed:
        raise InputsError(
            f"no picture in {', '.join(map(str, names))} ({len(made.ignored)} other files). "
            f"Accepted suffixes: {', '.join(sorted(PICTURES))}."
        )


def _refuse_overwritten_inputs(items: dict[Path, Item], output: OutputOptions) -> None:
    sources = {real(item.source) for item in items.values()}
    for item in items.values():
        if not output.in_place and real(item.target) in sources:
            raise InputsError(f"{item.target}: would overwrite an input. Name another output.")


def _target(source: Path, relative: Path, names: list[Path], out: Path | None, output: OutputOptions) -> Path:
    if out is None:
        return real(source) if source.is_symlink() else source
    if is_one_file(names, out):
        return out
    return out / relative.with_name(f"{relative.stem}{output.suffix}.{_format(source, output)}")


def _format(source: Path, output: OutputOptions) -> str:
    """The suffix of the result; `same` keeps the picture's own, or PNG where that cannot be written."""
    if output.format != SAME:
        return output.format
    return source.suffix.removeprefix(".") if suffix_of(source) in plugins.names("save") else "png"


def _cause_against(item: Item, output: OutputOptions) -> str | None:
    """Why the result cannot be written, as far as that is known before the work; None where nothing is."""
    target = item.target
    if len(os.fsencode(target.name)) > _LONGEST_NAME:
        return f"its result's name would be longer than {_LONGEST_NAME} bytes. Rename the picture."
    if not output.in_place:
        return None
    if suffix_of(target) not in plugins.names("save"):
        return f"{target.suffix.lower()} can be read but not written, so it cannot be replaced. Name an output folder."
    if not target.stat().st_mode & 0o222 or not os.access(target, os.W_OK):
        return "is read-only. Allow writing, or name an output folder."
    if not os.access(target.parent, os.W_OK):
        return f"its folder {target.parent} is read-only. Allow writing, or name an output folder."
    if STATE_FOLDER in target.absolute().parts:
        return "is the kept original of another picture, which is not replaced. Name an output folder."
    return None if output.no_backup else cause_against_keeping(target)


def _is_done(item: Item, output: OutputOptions) -> bool:
    if output.overwrite:
        return False
    if output.in_place:
        from gpen_fast.image.exif_mark import is_marked

        return is_marked(item.target)
    return exists(item.target)


def _pictures(names: list[Path], out: Path | None, made: Plan) -> Iterator[tuple[Path, Path]]:
    """Every picture with its path below the input that it came from; the plan is told of other files."""
    seen: set[Path] = set()
    for name in names:
        # An output folder that is an input too holds results beside its pictures: see `without_results`.
        left_out = None if out is None or real(out) == real(name) else real(out)
        for file in walk(name, left_out, made.failed, made.notes) if is_folder(name) else [name]:
            here = real(file) if out is None else file.absolute()
            if suffix_of(file) not in PICTURES or file.name.startswith("."):
                made.ignored.append(file)
            elif not file.is_file():
                made.failed.append((file, "not a regular file, or a broken link."))
            elif here not in seen:
                seen.add(here)
                yield file, file.relative_to(name) if is_folder(name) else Path(file.name)


def _note_other_formats(made: Plan, output: OutputOptions) -> None:
    """Notes once for each format that `same` cannot keep it."""
    if output.format != SAME or output.in_place:
        return
    kinds = Counter(suffix_of(item.source) for item in made.todo)
    for kind in sorted(kinds.keys() - set(plugins.names("save"))):
        first = next(item.source for item in made.todo if suffix_of(item.source) == kind)
        others = f" (and {kinds[kind] - 1} more)" if kinds[kind] > 1 else ""
        made.notes.append((first, f".{kind} can be read but not written{others}: the result is a PNG."))


def _add(items: dict[Path, Item], item: Item, output: OutputOptions) -> None:
    other = items.get(item.target)
    if other is not None:
        other_format = "" if output.format == SAME else "Try --format same, or restore"
        raise InputsError(
            f"{other.source} and {item.source} would both become {item.target}. "
            f"{other_format or 'Restore'} one of them in a run of its own with another --suffix or folder."
        )
    if is_folder(item.target):
        raise InputsError(
            f"{item.target}: is a folder where {item.source} is to be written. Name another output."
        )
    items[item.target] = item
