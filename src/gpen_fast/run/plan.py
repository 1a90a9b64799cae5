"""From command-line inputs to a plan: which picture becomes which file. Imports no torch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.files import LONGEST_NAME, nearest_file
from gpen_fast.run.clashes import Pair, folded, refuse_overwritten, without_clashes
from gpen_fast.run.earlier import FoundPicture, refuse_results_as_inputs, without_results
from gpen_fast.run.journal.book import JournalBook
from gpen_fast.run.places import Places
from gpen_fast.run.recorded import refuse_recorded_results
from gpen_fast.run.targets import kinds_by_suffix, targets
from gpen_fast.run.walk import (
    PICTURES,
    Told,
    exists,
    expanded,
    is_folder,
    prefix_of,
    real,
    split_name,
    walk_folders,
)
from gpen_fast.run.writable import writable
from gpen_fast.settings import SAME, OutputOptions, suffix_of

# The most ignored files that the error names if no picture is found.
_MOST_NAMED = 8


@dataclass(slots=True, init=False)
class Item:
    """One picture and the file it becomes. It holds strings: a plan may have a hundred thousand of them."""

    source_path: str
    """The picture's file."""

    target_path: str
    """The result's file; the picture's own in place."""

    def __init__(self, source: Path | str, target: Path | str) -> None:
        self.source_path = os.fspath(source)
        self.target_path = os.fspath(target)

    @property
    def source(self) -> Path:
        """The picture's file."""
        return Path(self.source_path)

    @property
    def target(self) -> Path:
        """The result's file; the picture's own in place."""
        return Path(self.target_path)


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
    places = Places()
    found = without_results(list(_pictures(names, out, made, places)), out, output, made.notes)
    _refuse_nothing(found, made, names)
    left_out: Told = []
    pairs = _without_clashes(found, names, out, output, left_out, places)
    pairs = list(writable(pairs, output, made.failed))
    made.ignored += [source for source, _ in left_out]
    made.notes += left_out
    if not output.in_place:
        refuse_overwritten(pairs, places)
    for source, target in pairs:
        wanted = journal.wants(source, target, made.failed)
        if wanted is not None:
            (made.todo if wanted else made.skipped).append(Item(source, target))
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
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in out.parts):
        raise InputsError(f"{out}: the name is too long. File systems accept {LONGEST_NAME} bytes at most.")
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


def _refuse_nothing(found: list[FoundPicture], made: Plan, names: list[Path]) -> None:
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
    found: list[FoundPicture],
    names: list[Path],
    out: Path | None,
    output: OutputOptions,
    left_out: Told,
    places: Places,
) -> list[Pair]:
    """Each picture with its own target. found: pictures with their paths below the inputs that they came from."""
    one = is_one_file(names, out)

    def pairs(options: OutputOptions) -> list[Pair]:
        target_of = targets(out, options, places, one=one)
        return [(source, target_of(source, relative)) for source, relative in found]

    if out is None:  # each picture is its own target, and is there
        return pairs(output)

    def same_cures() -> bool:
        if output.format == SAME:
            return False
        return len({folded(target) for _, target in pairs(replace(output, format=SAME))}) == len(found)

    return without_clashes(pairs(output), output.on_clash, left_out, places=places, same_cures=same_cures)


def _pictures(names: list[Path], out: Path | None, made: Plan, places: Places) -> Iterator[FoundPicture]:
    """Every picture with its path below the input that it came from; the plan is told of other files."""
    seen: set[str] = set()
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118
    kind_of = kinds_by_suffix()
    for name in names:
        named = not is_folder(name)
        for path, relative, is_file in _files(name, out, made):
            file = os.path.basename(path)  # noqa: PTH119
            if kind_of(split_name(file)[1]) not in PICTURES or _is_hidden(file, named=named):
                made.ignored.append(Path(path))
            elif not _holds(is_file):
                made.failed.append((Path(path), "not a regular file, or a broken link."))
            else:
                one = places.real(path) if out is None else os.path.join(here, path)  # noqa: PTH118
                if one not in seen:
                    seen.add(one)
                    yield path, relative


def _files(name: Path, out: Path | None, made: Plan) -> Iterator[tuple[str, str, Callable[[], bool]]]:
    """Every file of an input: its path, its path below the input, and what tells whether it is a regular one."""
    if not is_folder(name):
        yield os.fspath(name), name.name, name.is_file
        return
    # An output folder that is an input too holds results beside its pictures: see `without_results`.
    left_out = None if out is None or real(out) == real(name) else real(out)
    start = len(prefix_of(os.fspath(name)))
    for folder in walk_folders(name, left_out, made.failed, made.notes):
        prefix = prefix_of(folder.path)
        for file in folder.files:
            path = prefix + file.name
            yield path, path[start:], file.is_file


def _holds(is_file: Callable[[], bool]) -> bool:
    """Whether a file is a regular one, or a link to one; False for a loop of links."""
    try:
        return is_file()
    except OSError:
        return False


def _is_hidden(file: str, *, named: bool) -> bool:
    """Whether a file is left out for its name; a hidden one that is named is not, unless macOS made it (`._a.jpg`)."""
    return file.startswith("._" if named else ".")


def _note_other_formats(made: Plan, output: OutputOptions) -> None:
    """Notes once for each format that `same` cannot keep it."""
    if output.format != SAME or output.in_place:
        return
    kind_of = kinds_by_suffix()
    kinds = [kind_of(split_name(item.source_path)[1]) for item in made.todo]
    for kind, count in sorted(Counter(kinds).items()):
        if kind not in plugins.names("save"):
            first = made.todo[kinds.index(kind)].source
            others = f" (and {count - 1} more)" if count > 1 else ""
            made.notes.append((first, f".{kind} can be read but not written{others}: the result is a PNG."))
