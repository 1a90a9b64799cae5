"""From command-line inputs to a plan: which picture becomes which file. Imports no torch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.run.walk import Told, exists, expanded, is_folder, real, walk
from gpen_fast.settings import SAME, OutputOptions, suffix_of

PICTURES = frozenset({"jpg", "png", "webp", "bmp", "tif", "tiff", "heic", "heif", "hif", "avif"})
# Suffixes that no folder is meant to have.
_OTHER_PICTURES = frozenset({"gif", "jp2", "ppm"})
# Ends the name of the folder that holds a result's faces.
_FACES = ".faces"
# Bytes in a file's name: what common file systems take.
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Item:
    """One picture and the file it becomes."""

    source: Path
    target: Path


@dataclass
class Plan:
    """What a run will do.

    todo: what to restore. skipped: their results exist already. ignored: files that are no pictures. failed:
    what cannot be read or written at all, with why. notes: what a user may not expect.
    """

    todo: list[Item] = field(default_factory=list)
    skipped: list[Item] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)
    failed: Told = field(default_factory=list)
    notes: Told = field(default_factory=list)


def plan(inputs: Iterable[str], out: Path | None, output: OutputOptions) -> Plan:
    """Checks inputs and output together before any work starts. Raises InputsError, one sentence each.

    A folder is walked recursively and its tree kept; `out` and what lies in it is left out. One file and an
    `out` that ends in a format's suffix is one file. A file named twice is restored once. Results that exist
    are skipped unless `output.overwrite`. In place, `out` is None and each picture its own target; a last input that
    looks like the others' results is refused.
    """
    names = expanded(inputs, out)
    _refuse_bad_inputs(names)
    if out is not None:
        _refuse_bad_output(names, out, output)
    elif len(names) > 1:
        _refuse_results(names[:-1], names[-1])
    made = Plan()
    items: dict[Path, Item] = {}
    for source, relative in _without_results(list(_pictures(names, out, made)), out, output, made):
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


def faces_of(result: Path) -> Path:
    """The folder of the faces that `--save-faces` writes beside a result."""
    return result.with_name(f"{result.name}{_FACES}")


def is_one_file(names: list[Path], out: Path | None) -> bool:
    """Whether `out` is the name of the one file to write."""
    one = len(names) == 1 and not is_folder(names[0])
    return one and out is not None and not is_folder(out) and suffix_of(out) in plugins.names("save")


def _refuse_bad_inputs(names: list[Path]) -> None:
    for name in names:
        if not os.path.lexists(name):
            raise InputsError(f"{name}: no such file or folder.")


def _refuse_bad_output(names: list[Path], out: Path, output: OutputOptions) -> None:
    one = is_one_file(names, out)
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in out.parts):
        raise InputsError(f"{out}: no name for a file here, which has {_LONGEST_NAME} bytes at most.")
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
            f"{out}: is no folder, and one picture of these inputs cannot be written under that name. "
            f"Name a folder; or, for one input file, a name that ends in {formats}."
        )
    if exists(out) and not is_folder(out) and not one:
        raise InputsError(
            f"{out}: is a file. The output must be a folder, or a picture's name for one input file."
        )
    if out.is_symlink() and not exists(out):
        raise InputsError(f"{out}: is a link that leads nowhere. Name another output.")
    place = next(parent for parent in (out, *out.absolute().parents) if exists(parent))
    if place != out and not is_folder(place):
        raise InputsError(f"{out}: cannot be made, {place} is a file. Name another output.")
    if not os.access(place, os.W_OK):
        raise InputsError(f"{out}: cannot be written, {place} gives no permission. Name another output.")


def _refuse_results(others: list[Path], last: Path) -> None:
    """Refuses `IN... OUT --in-place`, where OUT holds an earlier run's results: both would be replaced.

    That is so where each picture of the last path has the name of one of the others, with one suffix for all. Two
    folders that a camera numbered alike look the same: each can be given alone.
    """
    one_file = not is_folder(last)
    if one_file and (len(others) > 1 or is_folder(others[0])):
        return  # no run takes that for its inputs and the one file to write
    results = {key: file for key, file in _by_name(last) if not file.parent.name.endswith(_FACES)}
    if not results or any(suffix_of(file) not in plugins.names("save") for file in results.values()):
        return
    found = {real(file) for file in results.values()}
    sources: dict[Path | None, Path] = {
        key: file for name in others for key, file in _by_name(name) if real(file) not in found
    }
    first, result = next(iter(results.items()))
    for suffix in [""] if one_file else _suffixes(first.name):
        if all(_without(suffix, key) in sources for key in results):
            more = f", and {len(results) - 1} more" if len(results) > 1 else ""
            raise InputsError(
                f"{last}: looks like the results of the other inputs "
                f"({result} from {sources[_without(suffix, first)]}{more}). With --in-place "
                f"there is no output: every path is an input and is replaced. Leave out {last}; or, to restore it "
                "in place too, give it alone in a run of its own."
            )


def _by_name(name: Path) -> Iterator[tuple[Path, Path]]:
    """Each picture of an input, under its path there without its format."""
    for file in walk(name, None, [], []) if is_folder(name) else [name]:
        if suffix_of(file) in PICTURES and not file.name.startswith("."):
            yield (file.relative_to(name) if is_folder(name) else Path(file.name)).with_suffix(""), file


def _suffixes(stem: str) -> list[str]:
    """What `--suffix` may have added to a name: nothing, or an end that begins with no letter or digit."""
    return ["", *(stem[at:] for at in range(1, len(stem)) if not stem[at].isalnum())]


def _without(suffix: str, key: Path) -> Path | None:
    """The name to which `suffix` was added; None where it was not."""
    added = key.name.endswith(suffix) and key.name != suffix
    return key.with_name(key.name.removesuffix(suffix)) if added else None


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
    """The suffix of the result; formats that cannot be written become PNG under `same`."""
    if output.format != SAME:
        return output.format
    return source.suffix.removeprefix(".") if suffix_of(source) in plugins.names("save") else "png"


def _cause_against(item: Item, output: OutputOptions) -> str | None:
    """Why the result cannot be written, as far as that can be known before."""
    target = item.target
    if len(os.fsencode(target.name)) > _LONGEST_NAME:
        return f"its result's name would have more than {_LONGEST_NAME} bytes. Rename it."
    if not output.in_place:
        return None
    if suffix_of(target) not in plugins.names("save"):
        return f"{target.suffix.lower()} is read and not written, so not in place. Name an output folder."
    if not target.stat().st_mode & 0o222 or not os.access(target, os.W_OK):
        return "is read-only. Allow writing, or name an output folder."
    if not os.access(target.parent, os.W_OK):
        return f"its folder {target.parent} is read-only. Allow writing, or name an output folder."
    return None


def _is_done(item: Item, output: OutputOptions) -> bool:
    if output.overwrite:
        return False
    if output.in_place:
        from gpen_fast.image.exif_mark import is_marked

        return is_marked(item.target)
    return exists(item.target)


def _pictures(names: list[Path], out: Path | None, made: Plan) -> Iterator[tuple[Path, Path]]:
    """Every picture with its path below the input it came from; other files are noted in the plan."""
    seen: set[Path] = set()
    for name in names:
        # Results beside the inputs are told from them by name, see `_without_results`.
        left_out = None if out is None or real(out) == real(name) else real(out)
        for file in walk(name, left_out, made.failed, made.notes) if is_folder(name) else [name]:
            here = real(file) if out is None else file.absolute()
            if suffix_of(file) not in PICTURES or file.name.startswith("."):
                made.ignored.append(file)
            elif not file.is_file():
                made.failed.append((file, "not a regular file, or a link that leads nowhere."))
            elif here not in seen:
                seen.add(here)
                yield file, file.relative_to(name) if is_folder(name) else Path(file.name)


def _without_results(
    found: list[tuple[Path, Path]], out: Path | None, output: OutputOptions, made: Plan
) -> list[tuple[Path, Path]]:
    """Leaves out what an earlier run wrote beside its input: x_restored.png where there is an x.jpg, and its faces."""
    if out is None or not output.suffix:
        return found
    inputs = {source.with_suffix("") for source, _ in found}
    results = [
        source
        for source, relative in found
        if source.stem.endswith(output.suffix)
        and source.with_name(source.stem.removesuffix(output.suffix)) in inputs
        and real((out / relative).parent) == real(source.parent)
    ]
    faces = {faces_of(result) for result in results}
    results += [source for source, _ in found if source.parent in faces]
    if results:
        others = f" and {len(results) - 1} more" if len(results) > 1 else ""
        made.notes.append((results[0], f"a result of an earlier run by its name{others}: left out."))
    return [pair for pair in found if pair[0] not in set(results)]


def _note_other_formats(made: Plan, output: OutputOptions) -> None:
    """Says once for each format that `same` cannot keep it."""
    if output.format != SAME or output.in_place:
        return
    kinds = Counter(suffix_of(item.source) for item in made.todo)
    for kind in sorted(kinds.keys() - set(plugins.names("save"))):
        first = next(item.source for item in made.todo if suffix_of(item.source) == kind)
        others = f" (and {kinds[kind] - 1} more)" if kinds[kind] > 1 else ""
        made.notes.append((first, f".{kind} is read and not written{others}: the result is a PNG."))


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
