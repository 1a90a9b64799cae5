"""Results of an earlier run among the inputs of this one, recognised by their names. Imports no torch."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.run.walk import PICTURES, Told, is_folder, real, split_name, walk
from gpen_fast.settings import OutputOptions, suffix_of

# The paths of a picture and of its place below the input that it came from.
FoundPicture = tuple[str, str]
# How the name of the folder that holds a result's faces ends.
_FACES = ".faces"
# What `--on-clash number` appends to a name.
_NUMBER = re.compile(r"_[0-9]+$")


def faces_of(result: Path) -> Path:
    """The folder of the faces that `--save-faces` writes beside a result."""
    return result.with_name(f"{result.name}{_FACES}")


def refuse_results_as_inputs(names: list[Path]) -> None:
    """Refuses inputs of --in-place of which one holds another's results from an earlier run: both would be replaced.

    The last input stands where a run without --in-place has its output. It is taken for results where each of its
    pictures has the name of a picture of the other inputs, with one suffix for all. Two folders that a camera numbered
    alike look the same: each can be given alone. A folder before the last must also differ from its sources in a
    suffix or a format.

    Args:
        names: The inputs, two or more.

    Raises:
        InputsError: One looks like the results of the others.
    """
    *others, last = names
    one_file = not is_folder(last)
    # Only one input file can have one result file: a last file among many is no output of an earlier run.
    if not one_file or (len(others) == 1 and not is_folder(others[0])):
        _refuse_results(others, last, alike=True)
    for at, name in enumerate(others):
        if is_folder(name):
            _refuse_results([*names[:at], *names[at + 1 :]], name, alike=False)


def _refuse_results(others: list[Path], suspect: Path, *, alike: bool) -> None:
    """Refuses one input. alike: also where its pictures have the very names, with their formats, of the others'."""
    results = {key: file for key, file in _by_name(suspect) if not file.parent.name.endswith(_FACES)}
    # A number tells results of one name apart: the first of them has none.
    results = {key: file for key, file in results.items() if _unnumbered(key) not in results}
    if not results or any(suffix_of(file) not in plugins.names("save") for file in results.values()):
        return
    found = {real(file) for file in results.values()}
    sources: dict[Path | None, Path] = {
        key: file for name in others for key, file in _by_name(name) if real(file) not in found
    }
    first, result = next(iter(results.items()))
    for suffix in _suffixes(first.name) if is_folder(suspect) else [""]:
        pairs = [(file, sources.get(_without(suffix, key))) for key, file in results.items()]
        if not all(source and file.exists() and source.exists() for file, source in pairs):
            continue
        if all(source and file.stat().st_mtime_ns < source.stat().st_mtime_ns for file, source in pairs):
            continue  # each is older than what it would be made from: rather the others are the results
        if alike or suffix or _is_of_other_format(results, sources):
            more = f", and {len(results) - 1} more" if len(results) > 1 else ""
            raise InputsError(
                f"{suspect}: looks like the results of the other inputs "
                f"({result} from {sources[_without(suffix, first)]}{more}). With --in-place "
                f"there is no output: every path is an input and is replaced. Leave out {suspect}; or, to restore it "
                "in place too, give it alone in a run of its own."
            )


def _is_of_other_format(results: Mapping[Path, Path], sources: Mapping[Path | None, Path]) -> bool:
    """Whether any result has another format than its source of the same name."""
    return any(suffix_of(file) != suffix_of(sources[key]) for key, file in results.items())


def without_results(
    found: list[FoundPicture], out: Path | None, output: OutputOptions, notes: Told
) -> list[FoundPicture]:
    """Leaves out what an earlier run wrote beside its inputs: x_restored.png where there is an x.jpg, and its faces.

    Args:
        found: Pictures, each with its path below the input that it came from.
        out: The output of this run; None in place.
        output: Its suffix says how results are named.
        notes: Is told which pictures are left out.

    Returns:
        The pictures that are not results.
    """
    if out is None or not output.suffix:
        return found
    inputs = {_without_format(source) for source, _ in found}
    real_folder = functools.cache(os.path.realpath)
    results = [
        source
        for source, relative in found
        if _is_named_as_result(source, output.suffix, inputs)
        and real_folder(os.path.dirname(out / relative)) == real_folder(os.path.dirname(source))  # noqa: PTH120
    ]
    faces = {f"{result}{_FACES}" for result in results}
    results += [source for source, _ in found if os.path.dirname(source) in faces]  # noqa: PTH120
    if results:
        others = f" (and {len(results) - 1} more)" if len(results) > 1 else ""
        told = f"left out: by its name it is a result of an earlier run{others}."
        notes.append((Path(results[0]), told))
    left_out = set(results)
    return [pair for pair in found if pair[0] not in left_out]


def _without_format(source: str) -> str:
    """A picture's path without the suffix of its format."""
    folder, name = os.path.split(source)
    return os.path.join(folder, split_name(name)[0])  # noqa: PTH118


def _is_named_as_result(source: str, suffix: str, inputs: Collection[str]) -> bool:
    """Whether a picture has the name of another's result. inputs: the pictures' paths without their formats."""
    path = _without_format(source)
    return any(
        name.endswith(suffix) and name.removesuffix(suffix) in inputs
        for name in (path, _NUMBER.sub("", path))
    )


def _by_name(name: Path) -> Iterator[tuple[Path, Path]]:
    """Each picture of an input, with its path below the input without its format."""
    for file in walk(name, None, [], []) if is_folder(name) else [name]:
        if suffix_of(file) in PICTURES and not file.name.startswith("."):
            yield (file.relative_to(name) if is_folder(name) else Path(file.name)).with_suffix(""), file


def _unnumbered(key: Path) -> Path | None:
    """The name before a number was appended; None for a name without one."""
    name = _NUMBER.sub("", key.name)
    return key.with_name(name) if name and name != key.name else None


def _suffixes(stem: str) -> list[str]:
    """What `--suffix` may have added to a name: nothing, or an end that does not begin with a letter or a digit."""
    return ["", *(stem[at:] for at in range(1, len(stem)) if not stem[at].isalnum())]


def _without(suffix: str, key: Path) -> Path | None:
    """The name before `suffix` was added; None for a name that does not end in it."""
    added = key.name.endswith(suffix) and key.name != suffix
    return key.with_name(key.name.removesuffix(suffix)) if added else None
