"""Results of an earlier run among the inputs of this one, recognised by their names. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.run.walk import PICTURES, Told, is_folder, real, walk
from gpen_fast.settings import OutputOptions, suffix_of

# How the name of the folder that holds a result's faces ends.
_FACES = ".faces"
# What `--on-clash number` appends to a name.
_NUMBER = re.compile(r"_[0-9]+$")


def faces_of(result: Path) -> Path:
    """The folder of the faces that `--save-faces` writes beside a result."""
    return result.with_name(f"{result.name}{_FACES}")


def refuse_results_as_inputs(others: list[Path], last: Path) -> None:
    """Refuses `IN... OUT --in-place` where OUT holds an earlier run's results: both would be replaced.

    OUT is taken for results where each of its pictures has the name of a picture of IN, with one suffix for all. Two
    folders that a camera numbered alike look the same: each can be given alone.

    Args:
        others: Every input but the last.
        last: The last input, which stands where a run without --in-place has its output.

    Raises:
        InputsError: `last` looks like the results of the others.
    """
    one_file = not is_folder(last)
    if one_file and (len(others) > 1 or is_folder(others[0])):
        return  # only one input file can have one result file: this is no output of an earlier run
    results = {key: file for key, file in _by_name(last) if not file.parent.name.endswith(_FACES)}
    # A number tells results of one name apart: the first of them has none.
    results = {key: file for key, file in results.items() if _unnumbered(key) not in results}
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


def without_results(
    found: list[tuple[Path, Path]], out: Path | None, output: OutputOptions, notes: Told
) -> list[tuple[Path, Path]]:
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
    inputs = {source.with_suffix("") for source, _ in found}
    results = [
        source
        for source, relative in found
        if any(
            stem.endswith(output.suffix) and source.with_name(stem.removesuffix(output.suffix)) in inputs
            for stem in (source.stem, _NUMBER.sub("", source.stem))
        )
        and real((out / relative).parent) == real(source.parent)
    ]
    faces = {faces_of(result) for result in results}
    results += [source for source, _ in found if source.parent in faces]
    if results:
        others = f" (and {len(results) - 1} more)" if len(results) > 1 else ""
        notes.append((results[0], f"left out: by its name it is a result of an earlier run{others}."))
    return [pair for pair in found if pair[0] not in set(results)]


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
