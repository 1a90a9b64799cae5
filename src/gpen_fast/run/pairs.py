"""Which picture of one folder belongs to which of another. Imports no torch."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.files import nearest_file
from gpen_fast.run.walk import PICTURES, Told, is_folder, walk
from gpen_fast.settings import suffix_of


@dataclass(frozen=True)
class MatchedPictures:
    """The pictures of two sides."""

    pairs: list[tuple[Path, Path]]
    """Those that belong together, sorted by name."""
    alone: list[tuple[Path, str]]
    """Those that have no partner, each with a sentence that says why."""


def match_pictures(a: Path, b: Path) -> MatchedPictures:
    """Two files, or the pictures of two folders by their names below them.

    A picture belongs to the one of its whole name; without one, to the only one of its name without the suffix, since a
    result may have another format than its input.

    Raises:
        InputsError: One is missing, one is a folder and the other a file, or a folder cannot be read.
    """
    for path in (a, b):
        if not path.exists():
            raise InputsError(f"{path}: no such file or folder.{nearest_file(path)}")
    if is_folder(a) != is_folder(b):
        folder, file = (a, b) if is_folder(a) else (b, a)
        raise InputsError(
            f"{folder} is a folder and {file} is a file: accepted are two pictures or two folders."
        )
    if not is_folder(a):
        return MatchedPictures([(a, b)], [])
    left, right = _pictures(a), _pictures(b)
    pairs = [(left.pop(name), right.pop(name)) for name in sorted(left.keys() & right.keys())]
    pairs += _by_stem(left, right)
    alone = [(path, f"{other} has no picture of this name.") for path, other in _left(left, b, right, a)]
    return MatchedPictures(sorted(pairs), sorted(alone))


def _by_stem(left: dict[Path, Path], right: dict[Path, Path]) -> list[tuple[Path, Path]]:
    """Takes out of both sides the pictures whose name without its suffix stands once on each."""
    stems: tuple[defaultdict[Path, list[Path]], defaultdict[Path, list[Path]]]
    stems = defaultdict(list), defaultdict(list)
    for side, found in zip((left, right), stems, strict=True):
        for name in side:
            found[name.with_suffix("")].append(name)
    only = [stem for stem in stems[0] if len(stems[0][stem]) == len(stems[1].get(stem, [])) == 1]
    return [(left.pop(stems[0][stem][0]), right.pop(stems[1][stem][0])) for stem in only]


def _left(left: dict[Path, Path], b: Path, right: dict[Path, Path], a: Path) -> list[tuple[Path, Path]]:
    """Each picture that is left, with the folder in which its partner is missing."""
    return [*((path, b) for path in left.values()), *((path, a) for path in right.values())]


def _pictures(folder: Path) -> dict[Path, Path]:
    """The pictures of a folder and those below it, by their path below it."""
    failed: Told = []
    found = {
        path.relative_to(folder): path
        for path in walk(folder, None, failed, [])
        if suffix_of(path) in PICTURES
    }
    for path, why in failed:
        raise InputsError(f"{path}: {why}.")
    if not found:
        raise InputsError(f"{folder}: no picture in this folder, nor below it. Name another one.")
    return found
