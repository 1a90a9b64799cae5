"""Pictures that are numbered as the frames of a film: which they are, and how results are named. Imports no torch."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import InputsError
from gpen_fast.run.walk import PICTURES, is_folder
from gpen_fast.settings import suffix_of

# The place of the number in a pattern, as FFmpeg takes it: %d, or %05d with zeros before it.
_PLACE = re.compile(r"%(?:0(\d+))?d")
_DIGITS = re.compile(r"\d+")
# Formats that results keep: those that lose nothing. Others become PNG.
_KEPT = ("png", "tif")
# Digits in the names of pictures that a video becomes, and the number of the first, as FFmpeg numbers them.
_WIDTH, _FIRST = 6, 1


@dataclass(frozen=True)
class FrameSequence:
    """Pictures whose numbers follow each other."""

    folder: Path
    """Where they are."""
    files: tuple[str, ...]
    """Their names, in the order of their numbers."""
    shown: str
    """Their common name for messages, such as shot_%05d.png."""

    def __len__(self) -> int:
        return len(self.files)

    def path(self, index: int) -> Path:
        """The picture at a place in the order, from 0."""
        return self.folder / self.files[index]


@dataclass(frozen=True)
class FrameNames:
    """How the pictures of a result are named."""

    suffix: str
    """With its dot."""
    prefix: str = ""
    """Before the number."""
    width: int = _WIDTH
    """Digits of the number at least."""
    tail: str = ""
    """Between the number and the suffix."""
    inputs: FrameSequence | None = None
    """Where it is given, results have the names of these pictures."""
    first: int = _FIRST
    """The first number; without meaning where `inputs` is given."""

    def name(self, index: int) -> str:
        """The name of the result at a place in the order, from 0."""
        if self.inputs is not None:
            return Path(self.inputs.files[index]).stem + self.suffix
        return f"{self.prefix}{self.first + index:0{self.width}d}{self.tail}{self.suffix}"

    def is_there(self, folder: Path, index: int) -> bool:
        """Whether the result at a place is in a folder; one that could not be read has its own name."""
        names = [self.name(index)] + ([self.inputs.files[index]] if self.inputs is not None else [])
        return any(os.path.lexists(folder / name) for name in names)

    def existing(self, folder: Path, begin: int = 0) -> Iterator[str]:
        """The names from a place on that exist in a folder; without `inputs` up to the first that does not."""
        if self.inputs is not None:
            for index in range(begin, len(self.inputs)):
                names = dict.fromkeys([self.name(index), self.inputs.files[index]])
                yield from (name for name in names if os.path.lexists(folder / name))
            return
        while os.path.lexists(folder / self.name(begin)):
            yield self.name(begin)
            begin += 1


def is_pattern(name: Path) -> bool:
    """Whether a name has a place for a number, such as shot_%05d.png, and no file or folder has that very name."""
    return bool(_PLACE.search(name.name)) and not os.path.lexists(name)


def sequence_of_pattern(pattern: Path) -> FrameSequence:
    """The pictures of a pattern.

    Raises:
        InputsError: None is there, or one of them is missing, or the name has two places for a number.
    """
    places = _PLACE.findall(pattern.name)
    if len(places) > 1:
        raise InputsError(f"{pattern}: accepted is one place for a number, such as shot_%05d.png.")
    prefix, tail = _PLACE.split(pattern.name)[::2]
    width = int(places[0] or 0)
    if not is_folder(pattern.parent):
        raise InputsError(f"{pattern}: there is no folder {pattern.parent}.")
    names = re.compile(f"{re.escape(prefix)}(\\d{{{width or 1},}}){re.escape(tail)}")
    found = [match for name in os.listdir(pattern.parent)  # noqa: PTH208
             if (match := names.fullmatch(name)) and _is_written_so(match[1], width)]  # fmt: skip
    if not found:
        raise InputsError(
            f"{pattern}: no picture of that name. The first would be {prefix}{0:0{width}d}{tail} or any other number."
        )
    return _followed(pattern.parent, found, pattern.name)


def sequence_in(folder: Path, names: Sequence[str]) -> FrameSequence:
    """The pictures of a folder as one sequence.

    Args:
        folder: The folder.
        names: Its pictures, one or more.

    Raises:
        InputsError: They are not numbered, or are of several sequences, or one of them is missing.
    """
    ordered = sorted(names)
    first = ordered[0]
    best: list[str] = []
    for place in reversed(list(_DIGITS.finditer(Path(first).stem))):
        prefix, tail = first[: place.start()], first[place.end() :]
        fits = re.compile(f"{re.escape(prefix)}(\\d+){re.escape(tail)}")
        matches = [match for name in ordered if (match := fits.fullmatch(name))]
        if len(matches) == len(ordered):
            shown = f"{prefix}%0{len(place[0])}d{tail}" if place[0][0] == "0" else f"{prefix}%d{tail}"
            return _followed(folder, matches, shown)
        best = max(best, [match[0] for match in matches], key=len)
    if not best:
        raise InputsError(f"{folder / first}: is not numbered, as the frames of a film must be.")
    other = next(name for name in ordered if name not in best)
    raise InputsError(
        f"{folder}: holds {first} and {other}, which are not of one sequence. Name one, such as "
        f"{folder / _DIGITS.sub(lambda number: f'%0{len(number[0])}d', best[0], count=1)}."
    )


def results_of(sequence: FrameSequence) -> FrameNames:
    """Names of results as those of the inputs: in their format where that loses nothing, else PNG."""
    kind = suffix_of(Path(sequence.files[0]))
    suffix = Path(sequence.files[0]).suffix if kind in _KEPT else ".png"
    return FrameNames(suffix, inputs=sequence)


def names_of_pattern(pattern: Path, first: int | None = None) -> FrameNames:
    """Names of results by a pattern.

    Args:
        pattern: Such as out/shot_%05d.png.
        first: The first number; None: 1.

    Raises:
        InputsError: It has two places for a number, or no picture is written under its suffix.
    """
    if len(_PLACE.findall(pattern.name)) > 1:
        raise InputsError(f"{pattern}: accepted is one place for a number, such as shot_%05d.png.")
    written = plugins.names("save")
    if suffix_of(pattern) not in written:
        raise InputsError(
            f"{pattern}: pictures of that suffix are not written. Accepted: {', '.join(written)}."
        )
    prefix, width, tail = _PLACE.split(pattern.name)
    return FrameNames(pattern.suffix, prefix, int(width or 0), Path(tail).stem if Path(tail).suffix else "",
                      first=_FIRST if first is None else first)  # fmt: skip


def first_number(sequence: FrameSequence) -> int:
    """The number of a sequence's first picture."""
    prefix = _PLACE.split(sequence.shown)[0]
    found = _DIGITS.match(sequence.files[0][len(prefix) :])
    return int(found[0]) if found else _FIRST


def frames_between(count: int, rate: Fraction, start: Fraction | None, end: Fraction | None) -> range:
    """The places of the pictures that begin at `start` seconds or later and before `end`."""
    first = 0 if start is None else ceil(start * rate)
    last = count if end is None else min(count, ceil(end * rate))
    return range(min(first, count), max(last, min(first, count)))


def pictures_among(names: Sequence[str]) -> list[str]:
    """Those of a folder's files that are pictures by their suffix; hidden ones are left out."""
    return [name for name in names if suffix_of(Path(name)) in PICTURES and not name.startswith(".")]


def _is_written_so(digits: str, width: int) -> bool:
    """Whether a number is written with zeros up to that width, and none beyond."""
    return len(digits) == width or not digits.startswith("0") or digits == "0"


def _followed(folder: Path, found: Sequence[re.Match[str]], shown: str) -> FrameSequence:
    """The pictures in the order of their numbers. InputsError names the first that is missing, or is there twice."""
    ordered = sorted(found, key=lambda match: (int(match[1]), match[0]))
    for match, following in itertools.pairwise(ordered):
        name, expected = match[0], int(match[1]) + 1
        if int(following[1]) == expected - 1:
            raise InputsError(f"{folder / name} and {following[0]} have one number. Remove one of them.")
        if int(following[1]) != expected:
            missing = f"{name[: match.start(1)]}{expected:0{len(match[1])}d}{name[match.end(1) :]}"
            raise InputsError(
                f"{folder / missing}: is missing: after {name} comes {following[0]}. Add it, or restore the pictures "
                "before and after it apart, each in a folder of its own."
            )
    return FrameSequence(folder, tuple(match[0] for match in ordered), shown)
