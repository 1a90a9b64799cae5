"""Pictures whose results would have one name: refused together, numbered or left out. Imports no torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.run.walk import Told, is_folder, real
from gpen_fast.settings import OnClash

# A picture and the file that it is to become.
Pair = tuple[Path, Path]
# Clashes that an error lists.
_MOST_LISTED = 10


def without_clashes(pairs: Sequence[Pair], how: OnClash, left_out: Told, *, same_cures: bool) -> list[Pair]:
    """Settles which pictures become which files, so that no two become one.

    Args:
        pairs: Pictures and the files that they would become, in the order of the inputs.
        how: `error` refuses all clashes together, `number` appends _2, _3, ... to the names, `skip` keeps the first.
        left_out: Is told of the pictures that `skip` leaves out.
        same_cures: Whether `--format same` would leave no clash: the error then names it.

    Returns:
        The pairs, in the same order; each file once.

    Raises:
        InputsError: Two pictures would become one file, and `how` is `error`; or a folder has a result's name.
    """
    _refuse_folders(pairs)
    by_target: dict[Path, list[Path]] = defaultdict(list)
    for source, target in pairs:
        by_target[target].append(source)
    clashes = {target: sources for target, sources in by_target.items() if len(sources) > 1}
    if not clashes:
        return list(pairs)
    if how == "error":
        raise InputsError(_told(clashes, same_cures=same_cures))
    return _numbered(pairs) if how == "number" else _firsts(pairs, left_out)


def _numbered(pairs: Sequence[Pair]) -> list[Pair]:
    """The first picture keeps the name; the others get the next number that is no other's name."""
    taken = {target for _, target in pairs} | {source.absolute() for source, _ in pairs}
    given: set[Path] = set()
    made = []
    for source, wanted in pairs:
        target, number = wanted, 1
        while target in given or (number > 1 and (target in taken or target.absolute() in taken)):
            number += 1
            target = wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")
        given.add(target)
        made.append((source, target))
    return made


def _firsts(pairs: Sequence[Pair], left_out: Told) -> list[Pair]:
    """Of the pictures for one file the first; `left_out` is told of the others."""
    firsts: dict[Path, Path] = {}
    for source, target in pairs:
        first = firsts.setdefault(target, source)
        if first is not source:
            left_out.append((source, f"left out by --on-clash skip: {first} becomes {target}."))
    return [(source, target) for target, source in firsts.items()]


def _refuse_folders(pairs: Sequence[Pair]) -> None:
    blocked = [f"{target} (for {source})" for source, target in pairs if is_folder(target)]
    if blocked:
        what = "is a folder" if len(blocked) == 1 else "are folders"
        raise InputsError(f"{_listed(blocked)}: {what} where results are to be written. Name another output.")


def refuse_overwritten(pairs: Sequence[Pair]) -> None:
    """Refuses results that would overwrite pictures of this run.

    Args:
        pairs: Pictures and the files that they become, none of them in place.

    Raises:
        InputsError: Names all of them.
    """
    sources = {real(source) for source, _ in pairs}
    over = [str(target) for _, target in pairs if real(target) in sources]
    if over:
        raise InputsError(
            f"{_listed(over)}: would overwrite an input. Name another output, or give --suffix _restored."
        )


def _told(clashes: dict[Path, list[Path]], *, same_cures: bool) -> str:
    listed = [f"{target} from {' and '.join(map(str, sources))}" for target, sources in clashes.items()]
    first = next(iter(clashes))
    same = "; or --format same, which keeps them apart" if same_cures else ""
    count = "one result" if len(clashes) == 1 else f"{len(clashes)} results"
    return (
        f"several pictures would become {count}: {_listed(listed)}. Try --on-clash number ({first.name}, "
        f"{first.stem}_2{first.suffix}, in the order of the inputs) or --on-clash skip (only the first){same}."
    )


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_LISTED
    return "; ".join(texts[:_MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")
