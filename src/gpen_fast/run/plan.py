"""From command-line inputs to a plan: which picture becomes which file. Imports no torch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.files import STATE_FOLDER, nearest_file
from gpen_fast.run.clashes import refuse_overwritten, without_clashes
from gpen_fast.run.earlier import refuse_results_as_inputs, without_results
from gpen_fast.run.journal.book import JournalBook
from gpen_fast.run.originals import cause_against_keeping
from gpen_fast.run.recorded import refuse_recorded_results
from gpen_fast.run.walk import PICTURES, Told, exists, expanded, is_folder, real, walk
from gpen_fast.settings import SAME, OutputOptions, suffix_of

# Bytes in a file's name: the limit of ext4, XFS, APFS and NTFS (there in UTF-16 units).
_LONGEST_NAME = 255
# The most ignored files that the error names if no picture is found.
_MOST_NAMED = 8


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
    """Files that are not pictures, hidden ones, and those that --on-clash skip leaves out."""

    failed: Told = field(default_factory=list)
    """Pictures that cannot be read or written at all, with the reason."""

    notes: Told = field(default_factory=list)
    """What the user may not expect, with the path it is about."""


def plan(
    inputs: Iterable[str], out: Path | None, output: OutputOptions, journal: JournalBook | None = None
) -> Plan:
    """Checks inputs and output together before any work starts.

    A folder is walked recursively and its tree kept; `out` and what lies in it is left out. A file that is named twice
    is restored once.

    Args:
        inputs: Files, folders and glob patterns. With --in-place, one that looks like the results of the others is
            refused.
        out: A folder; or, for one input file, a name that ends in the suffix of a format. None in place: each picture
            is its own target.
        output: How results are named. Those that exist are skipped unless `overwrite` is set.
        journal: Knows how results were made: those of other settings, or of pictures that have changed, are made
            again. None: only their files are looked at.

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
        refuse_recorded_results(names)
        refuse_results_as_inputs(names)
    journal = journal or JournalBook(None, output)
    made = Plan()
    journal.open(_homes(names, out), made.notes, alone=len(names) == 1 and not is_folder(names[0]))
    found = without_results(list(_pictures(names, out, made)), out, output, made.notes)
    _refuse_nothing(found, made, names)
    left_out: Told = []
    items: list[Item] = []
    for source, target in _without_clashes(found, names, out, output, left_out):
        item = Item(source, target)
        if cause := _cause_against(item, output):
            made.failed.append((source, cause))
        else:
            items.append(item)
    made.ignored += [source for source, _ in left_out]
    made.notes += left_out
    if not output.in_place:
        refuse_overwritten([(item.source, item.target) for item in items])
    for item in items:
        wanted = journal.wants(item.source, item.target, made.failed)
        if wanted is not None:
            (made.todo if wanted else made.skipped).append(item)
    journal.tell(made.notes)
    _note_other_formats(made, output)
    return made


def is_one_file(names: list[Path], out: Path | None) -> bool:
    """Whether `out` is the name of the one file to write."""
    one = len(names) == 1 and not is_folder(names[0])
    return one and out is not None and not is_folder(out) and suffix_of(out) in plugins.names("save")


def _homes(names: list[Path], out: Path | None) -> list[Path]:
    """The folders whose journals hold the results."""
    if out is None:
        return [name if is_folder(name) else name.parent for name in names]
    return [out.parent if is_one_file(names, out) else out]


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
    if not is_folder(out) and not one and suffix_of(out) in PICTURES:
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


def _refuse_nothing(found: list[tuple[Path, Path]], made: Plan, names: list[Path]) -> None:
    if found or made.failed:
        return
    names_of = [file.name for file in made.ignored]
    more = f" and {len(names_of) - _MOST_NAMED} more" if len(names_of) > _MOST_NAMED else ""
    others = f": {', '.join(names_of[:_MOST_NAMED])}{more}" if names_of else ""
    raise InputsError(
        f"no picture in {', '.join(map(str, names))} ({len(names_of)} other files{others}). "
        f"Accepted suffixes: {', '.join(sorted(PICTURES))}; hidden files only where they are named."
    )


def _without_clashes(
    found: list[tuple[Path, Path]],
    names: list[Path],
    out: Path | None,
    output: OutputOptions,
    left_out: Told,
) -> list[tuple[Path, Path]]:
    """Each picture with its own target. found: pictures with their paths below the inputs that they came from."""

    def targets(options: OutputOptions) -> list[Path]:
        return [_target(source, relative, names, out, options) for source, relative in found]

    same_cures = output.format != SAME and len(set(targets(replace(output, format=SAME)))) == len(found)
    pairs = [(source, target) for (source, _), target in zip(found, targets(output), strict=True)]
    return without_clashes(pairs, output.on_clash, left_out, same_cures=same_cures)


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


def _pictures(names: list[Path], out: Path | None, made: Plan) -> Iterator[tuple[Path, Path]]:
    """Every picture with its path below the input that it came from; the plan is told of other files."""
    seen: set[Path] = set()
    for name in names:
        # An output folder that is an input too holds results beside its pictures: see `without_results`.
        left_out = None if out is None or real(out) == real(name) else real(out)
        for file in walk(name, left_out, made.failed, made.notes) if is_folder(name) else [name]:
            here = real(file) if out is None else file.absolute()
            if suffix_of(file) not in PICTURES or _is_hidden(file, named=file is name):
                made.ignored.append(file)
            elif not file.is_file():
                made.failed.append((file, "not a regular file, or a broken link."))
            elif here not in seen:
                seen.add(here)
                yield file, file.relative_to(name) if is_folder(name) else Path(file.name)


def _is_hidden(file: Path, *, named: bool) -> bool:
    """Whether a file is left out for its name; a hidden one that is named is not, unless macOS made it (`._a.jpg`)."""
    return file.name.startswith("._" if named else ".")


def _note_other_formats(made: Plan, output: OutputOptions) -> None:
    """Notes once for each format that `same` cannot keep it."""
    if output.format != SAME or output.in_place:
        return
    kinds = Counter(suffix_of(item.source) for item in made.todo)
    for kind in sorted(kinds.keys() - set(plugins.names("save"))):
        first = next(item.source for item in made.todo if suffix_of(item.source) == kind)
        others = f" (and {kinds[kind] - 1} more)" if kinds[kind] > 1 else ""
        made.notes.append((first, f".{kind} can be read but not written{others}: the result is a PNG."))
