"""TIFF directories, of which EXIF consists too: read and written with every value as it came, byte for byte.

Pillow reads and writes them as well, but replaces every character beyond ASCII by a question mark, gives tags other
types, and moves what a camera's own notes point to.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

# Bytes of a value of each type (TIFF 6.0, section 2; BigTIFF adds 16 to 18).
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
ASCII, SHORT, LONG, UNDEFINED = 2, 3, 4, 7
# Bytes of the numbers that values of a type consist of, where these are more than one: fractions are two numbers.
_WORDS = {**_SIZES, 5: 4, 10: 4}
# Whole numbers of each type, as struct calls them.
_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
# Numbers of 8 bytes, and the types of 4 bytes that hold them in a classic file.
_NARROWER = {16: 4, 17: 9, 18: 13}
_CLASSIC, _BIG = 42, 43
# Bytes of a header.
_LEAST = 8
# Tags that point to a directory, and those in it that do: EXIF, in it interoperability; GPS (CIPA DC-008, 4.6).
_POINTERS: dict[int, tuple[int, ...]] = {34665: (40965,), 34853: ()}


@dataclass(frozen=True)
class TagEntry:
    """One tag of a directory."""

    tag: int
    """Its number."""

    kind: int
    """Its type's number."""

    data: bytes = field(repr=False)
    """Its values, in the byte order of their file."""

    place: int = 0
    """The offset of its field, of 12 bytes in a classic file, in which values of up to 4 bytes stand themselves."""

    @property
    def count(self) -> int:
        """How many values it has."""
        return len(self.data) // _SIZES[self.kind]


@dataclass(frozen=True)
class TagDirectory:
    """The tags of one directory of a file."""

    entries: dict[int, TagEntry]
    """By their numbers. Entries of unknown types, and those whose values lie outside the file, are passed over."""

    next_at: int
    """The offset of the pointer to the next directory."""

    next: int
    """The next directory's offset; 0 if this is the last."""

    whole: bool
    """Whether no entry was passed over."""


@dataclass(frozen=True)
class TagFile:
    """A TIFF file, or EXIF without its prefix."""

    data: bytes = field(repr=False)
    """All of it."""

    order: str
    """The byte order as struct calls it, < or >."""

    big: bool
    """Whether it is a BigTIFF, whose offsets have 8 bytes."""

    first: int
    """The first directory's offset."""

    @classmethod
    def of(cls, data: bytes) -> TagFile:
        """Reads the header.

        Raises:
            ValueError: It is none of a TIFF.
        """
        order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
        if not order or len(data) < _LEAST:
            raise ValueError("no TIFF header")
        (version,) = struct.unpack_from(order + "H", data, 2)
        if version not in (_CLASSIC, _BIG):
            raise ValueError(f"version {version}")
        big = version == _BIG
        if big and len(data) < 2 * _LEAST:
            raise ValueError("no BigTIFF header")
        (first,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        return cls(bytes(data), order, big, first)

    def directory(self, at: int) -> TagDirectory:
        """Reads the directory at an offset.

        Raises:
            ValueError: It does not lie in the file.
        """
        count_form, entry, pointer, inline = ("Q", 20, "Q", 8) if self.big else ("H", 12, "I", 4)
        try:
            (count,) = struct.unpack_from(self.order + count_form, self.data, at)
            start = at + struct.calcsize(count_form)
            next_at = start + entry * count
            (following,) = struct.unpack_from(self.order + pointer, self.data, next_at)
        except (struct.error, OverflowError) as cause:
            raise ValueError(f"a directory at {at}") from cause
        entries: dict[int, TagEntry] = {}
        for place in range(start, next_at, entry):
            if found := self._entry(place, pointer, inline):
                entries.setdefault(found.tag, found)
        return TagDirectory(entries, next_at, following, len(entries) == count)

    def numbers(self, entry: TagEntry | None) -> tuple[int, ...]:
        """The values of a tag of whole numbers; none where it is absent or of another type."""
        if entry is None or entry.kind not in _WHOLE:
            return ()
        return struct.unpack(f"{self.order}{entry.count}{_WHOLE[entry.kind]}", entry.data)

    def _entry(self, place: int, pointer: str, inline: int) -> TagEntry | None:
        tag, kind, count = struct.unpack_from(f"{self.order}HH{pointer}", self.data, place)
        length = count * _SIZES.get(kind, 0)
        at = place + 4 + inline
        if length > inline:
            (at,) = struct.unpack_from(self.order + pointer, self.data, at)
        if kind not in _SIZES or at + length > len(self.data):
            return None
        return TagEntry(tag, kind, self.data[at : at + length], place)


def classic(entry: TagEntry, order: str) -> TagEntry:
    """The entry with numbers of 8 bytes as 4 bytes, as a classic TIFF and EXIF hold them."""
    if entry.kind not in _NARROWER:
        return entry
    values = struct.unpack(f"{order}{entry.count}{'q' if entry.kind == 17 else 'Q'}", entry.data)
    low = [value & 0xFFFFFFFF for value in values]
    return replace(entry, kind=_NARROWER[entry.kind], data=struct.pack(f"{order}{len(low)}I", *low))


def number_entry(tag: int, order: str, *values: int, kind: int = LONG) -> TagEntry:
    """A tag of whole numbers."""
    return TagEntry(tag, kind, struct.pack(f"{order}{len(values)}{_WHOLE[kind]}", *values))


def swapped_values(kind: int, data: bytes) -> bytes:
    """Values of a type in the other byte order."""
    word = _WORDS.get(kind, 1)
    return np.frombuffer(data, f"V{word}").view(f"u{word}").byteswap().tobytes()


def directory_bytes(entries: Iterable[TagEntry], offset: int, order: str, following: int = 0) -> bytes:
    """A classic directory with its values right behind it.

    Args:
        entries: The tags, in any order, one of each number.
        offset: Where in its file the directory will begin; even.
        order: The file's byte order, < or >.
        following: The offset of the next directory.
    """
    made = sorted(entries, key=lambda entry: entry.tag)
    head = struct.pack(order + "H", len(made))
    place, values = offset + 2 + 12 * len(made) + 4, b""
    for entry in made:
        field_bytes = entry.data.ljust(4, b"\0")
        if len(entry.data) > 4:
            field_bytes = struct.pack(order + "I", place + len(values))
            values += entry.data + b"\0" * (len(entry.data) % 2)
        head += struct.pack(order + "HHI", entry.tag, entry.kind, entry.count) + field_bytes
    return head + struct.pack(order + "I", following) + values


@dataclass(frozen=True)
class TagTree:
    """A directory and those that it points to."""

    entries: list[TagEntry]
    """Its tags but the pointers."""

    branches: dict[int, TagTree]
    """By the tag that points to it."""


def tag_tree(file: TagFile, at: int, pointers: Iterable[int] = tuple(_POINTERS)) -> TagTree:
    """Reads a directory with its EXIF and GPS directories, in the form of a classic file.

    Args:
        file: What it lies in.
        at: Its offset.
        pointers: Tags that point to further directories; those that lead nowhere are passed over.

    Raises:
        ValueError: The directory itself does not lie in the file.
    """
    found = file.directory(at).entries
    branches = {}
    for tag in pointers:
        with contextlib.suppress(ValueError):
            for place in file.numbers(found.get(tag))[:1]:
                branches[tag] = tag_tree(file, place, _POINTERS.get(tag, ()))
    left_out = {*_POINTERS, *(tag for inner in _POINTERS.values() for tag in inner)}
    entries = [classic(entry, file.order) for tag, entry in found.items() if tag not in left_out]
    return TagTree(entries, branches)


def tree_bytes(tree: TagTree, offset: int, order: str) -> bytes:
    """A directory, and behind it those that it points to.

    Args:
        tree: What to write.
        offset: Where in its file it will begin; even.
        order: The file's byte order, < or >.
    """
    pointers = dict.fromkeys(tree.branches, 0)
    length = len(directory_bytes(_pointing(tree, pointers, order), offset, order))
    behind = b""
    for tag, branch in tree.branches.items():
        pointers[tag] = offset + length + len(behind)
        behind += tree_bytes(branch, pointers[tag], order)
    return directory_bytes(_pointing(tree, pointers, order), offset, order) + behind


def _pointing(tree: TagTree, pointers: dict[int, int], order: str) -> list[TagEntry]:
    return [*tree.entries, *(number_entry(tag, order, place) for tag, place in pointers.items())]
