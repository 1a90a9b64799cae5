"""Pictures whose results would have one name: refused together, numbered or left out. Imports no torch."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.run.places import Places
from gpen_fast.run.walk import Told, split_name
from gpen_fast.settings import OnClash

# The paths of a picture and of the file that it is to become. Strings: a plan may have a hundred thousand of them.
Pair = tuple[str, str]
# Clashes that an error lists.
_MOST_LISTED = 10


def without_clashes(
    pairs: Sequence[Pair],
    how: OnClash,
    left_out: Told,
    *,
    places: Places,
    same_cures: Callable[[], bool],
) -> list[Pair]:
    """Settles which pictures become which files, so that no two become one.

    Args:
        pairs: Pictures and the files that they would become, in the order of the inputs.
        how: `error` refuses all clashes together, `number` appends _2, _3, ... to the names, `skip` keeps the first.
        left_out: Is told of the pictures that `skip` leaves out.
        places: Tells which results' names are folders.
        same_cures: Tells whether `--format same` would leave no clash: the error then names it.

    Returns:
        The pairs, in the same order; each file once.

    Raises:
        InputsError: Two pictures would become one file, and `how` is `error`; or a folder has a result's name.
    """
    _refuse_folders(pairs, places)
    if len({target for _, target in pairs}) == len(pairs):
        return list(pairs)
    by_target: dict[str, list[str]] = defaultdict(list)
    for source, target in pairs:
        by_target[target].append(source)
    clashes = {target: sources for target, sources in by_target.items() if len(sources) > 1}
    if how == "error":
        raise InputsError(_told(clashes, same_cures=same_cures()))
    return _numbered(pairs) if how == "number" else _firsts(pairs, left_out)


def _numbered(pairs: Sequence[Pair]) -> list[Pair]:
    """The first picture keeps the name; the others get the next number that is no other's name."""
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118
    taken = {target for _, target in pairs} | {os.path.join(here, source) for source, _ in pairs}  # noqa: PTH118
    given: set[str] = set()
    # The last number tried for a name: the pictures of many folders may all have one name.
    numbers: dict[str, int] = defaultdict(lambda: 1)
    made = []
    for source, wanted in pairs:
        target = wanted
        while target in given or (target != wanted and _is_taken(target, taken, here)):
            numbers[wanted] += 1
            target = _numbered_name(wanted, numbers[wanted])
        given.add(target)
        made.append((source, target))
    return made


def _is_taken(target: str, taken: set[str], here: str) -> bool:
    return target in taken or os.path.join(here, target) in taken  # noqa: PTH118


def _numbered_name(path: str, number: int) -> str:
    """The path with a number appended to the file's name: out/a_2.png."""
    folder, name = os.path.split(path)
    stem, suffix = split_name(name)
    return os.path.join(folder, f"{stem}_{number}{suffix}")  # noqa: PTH118


def _firsts(pairs: Sequence[Pair], left_out: Told) -> list[Pair]:
    """Of the pictures for one file the first; `left_out` is told of the others."""
    firsts: dict[str, str] = {}
    for source, target in pairs:
        first = firsts.setdefault(target, source)
        if first is not source:
            left_out.append((Path(source), f"left out by --on-clash skip: {first} becomes {target}."))
    return [(source, target) for target, source in firsts.items()]


def _refuse_folders(pairs: Sequence[Pair], places: Places) -> None:
    blocked = [f"{target} (for {source})" for source, target in pairs if places.is_folder(target)]
    if blocked:
        what = "is a folder" if len(blocked) == 1 else "are folders"
        raise InputsError(f"{_listed(blocked)}: {what} where results are to be written. Name another output.")


def refuse_overwritten(pairs: Sequence[Pair], places: Places) -> None:
    """Refuses results that would overwrite pictures of this run.

    Args:
        pairs: Pictures and the files that they become, none of them in place.
        places: Tells their real paths.

    Raises:
        InputsError: Names all of them.
    """
    sources = {places.real(source) for source, _ in pairs}
    over = [target for _, target in pairs if places.real(target) in sources]
    if over:
        raise InputsError(
            f"{_listed(over)}: would overwrite an input. Name another output, or give --suffix _restored."
        )


def _told(clashes: dict[str, list[str]], *, same_cures: bool) -> str:
    listed = [f"{target} from {' and '.join(sources)}" for target, sources in clashes.items()]
    first = Path(next(iter(clashes)))
    same = "; or --format same, which keeps them apart" if same_cures else ""
    count = "one result" if len(clashes) == 1 else f"{len(clashes)} results"
    return (
        f"several pictures would become {count}: {_listed(listed)}. Try --on-clash number ({first.name}, "
        f"{first.stem}_2{first.suffix}, in the order of the inputs) or --on-clash skip (only the first){same}."
    )


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_LISTED
    return "; ".join(texts[:_MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")
