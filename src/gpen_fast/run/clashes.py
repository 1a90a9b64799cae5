"""Pictures whose results would have one name: refused together, numbered or left out. Imports no torch.

Two names are one here if they differ only in case or in how their accents are composed (Unicode NFC and NFD): macOS and
Windows take them for one file, so one result would replace the other there.
"""

from __future__ import annotations

import os
import unicodedata
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


def folded(target: str) -> str:
    """What the paths have in common that some file system takes for one."""
    if target.isascii():
        return target.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", target).casefold())


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
        pairs: Pictures and the files that they would become, in the order of the inputs; none of them in place.
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
    if len({folded(target) for _, target in pairs}) == len(pairs):
        return list(pairs)
    by_name: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_name[folded(pair[1])].append(pair)
    if how == "error":
        clashes = [those for those in by_name.values() if len(those) > 1]
        raise InputsError(_told(clashes, same_cures=same_cures()))
    return _numbered(pairs) if how == "number" else _firsts(pairs, left_out)


def _numbered(pairs: Sequence[Pair]) -> list[Pair]:
    """The first picture keeps the name; the others get the next number that is no other's name."""
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118
    taken = {folded(target) for _, target in pairs}
    taken |= {folded(os.path.join(here, source)) for source, _ in pairs}  # noqa: PTH118
    given: set[str] = set()
    # The last number tried for a name: the pictures of many folders may all have one name.
    numbers: dict[str, int] = defaultdict(lambda: 1)
    made = []
    for source, wanted in pairs:
        target = wanted
        while folded(target) in given or (target != wanted and _is_taken(target, taken, here)):
            numbers[folded(wanted)] += 1
            target = _numbered_name(wanted, numbers[folded(wanted)])
        given.add(folded(target))
        made.append((source, target))
    return made


def _is_taken(target: str, taken: set[str], here: str) -> bool:
    return folded(target) in taken or folded(os.path.join(here, target)) in taken  # noqa: PTH118


def _numbered_name(path: str, number: int) -> str:
    """The path with a number appended to the file's name: out/a_2.png."""
    folder, name = os.path.split(path)
    stem, suffix = split_name(name)
    return os.path.join(folder, f"{stem}_{number}{suffix}")  # noqa: PTH118


def _firsts(pairs: Sequence[Pair], left_out: Told) -> list[Pair]:
    """Of the pictures for one file the first; `left_out` is told of the others."""
    firsts: dict[str, Pair] = {}
    for pair in pairs:
        first = firsts.setdefault(folded(pair[1]), pair)
        if first is not pair:
            left_out.append((Path(pair[0]), f"left out by --on-clash skip: {first[0]} becomes {first[1]}."))
    return list(firsts.values())


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


def _told(clashes: Sequence[Sequence[Pair]], *, same_cures: bool) -> str:
    listed = [_one_told(those) for those in clashes]
    first = Path(clashes[0][0][1])
    same = "; or --format same, which keeps them apart" if same_cures else ""
    count = "one result" if len(clashes) == 1 else f"{len(clashes)} results"
    alike = any(_differ(those) for those in clashes)
    why = (
        " On macOS and Windows, names that differ only in case or accents' form are one file."
        if alike
        else ""
    )
    return (
        f"several pictures would become {count}: {_listed(listed)}.{why} Try --on-clash number ({first.name}, "
        f"{first.stem}_2{first.suffix}, in the order of the inputs) or --on-clash skip (only the first){same}."
    )


def _one_told(those: Sequence[Pair]) -> str:
    """One result and its pictures; each picture with its own result where these differ in case."""
    if _differ(those):
        return " and ".join(f"{target} from {source}" for source, target in those)
    return f"{those[0][1]} from {' and '.join(source for source, _ in those)}"


def _differ(those: Sequence[Pair]) -> bool:
    """Whether the results' names are one only for some file systems."""
    return len({target for _, target in those}) > 1


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_LISTED
    return "; ".join(texts[:_MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")
