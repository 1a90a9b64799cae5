"""EXIF: what has to change is changed, and every other byte stays, so that a camera's own notes stay readable too."""

from __future__ import annotations

import struct
from collections.abc import Collection

from gpen_fast.image.directory import (
    ASCII,
    SHORT,
    TagDirectory,
    TagEntry,
    TagFile,
    TagTree,
    number_entry,
    tag_tree,
    tree_bytes,
)

# EXIF and TIFF tags (CIPA DC-008, 4.6; TIFF 6.0, section 8).
PROCESSING_SOFTWARE = 0x000B
IMAGE_WIDTH, IMAGE_LENGTH = 0x0100, 0x0101
ORIENTATION = 0x0112
# The pointer to the EXIF directory, and two tags in it.
EXIF_DIRECTORY = 0x8769
PIXEL_X_DIMENSION, PIXEL_Y_DIMENSION = 0xA002, 0xA003
# What EXIF begins with in a JPEG file.
EXIF_PREFIX = b"Exif\0\0"
# Tags of the second directory, a thumbnail's: a JPEG file's offset and bytes, strips' offsets and bytes.
_THUMBNAILS = ((0x0201, 0x0202), (0x0111, 0x0117))
_FIELD, _INLINE = 12, 4


def upright_exif(exif: bytes) -> bytes:
    """EXIF that says upright, without its thumbnail, which shows the picture before its restoration.

    Args:
        exif: With or without the prefix that it has in a JPEG file.

    Returns:
        With the prefix. Where it is damaged in places, what can be read of it.

    Raises:
        ValueError: It is damaged throughout.
    """
    file = _opened(exif)
    main = file.directory(file.first)
    if file.big or not _is_whole(file, main):
        return exif_of_tree(_upright(tag_tree(file, file.first), file.order), file.order)
    made = bytearray(file.data)
    if ORIENTATION in main.entries:
        _put(made, main.entries[ORIENTATION], _upright_entry(file.order), file.order)
    if main.next:
        _put_pointer(made, main.next_at, 0, file.order)
        made = made[: _blanked(made, file, main.next)]
    return EXIF_PREFIX + bytes(made)


def exif_of_tree(tree: TagTree, order: str) -> bytes:
    """EXIF made of directories.

    Args:
        tree: The main directory, and EXIF's and GPS's.
        order: The byte order of the values in it.
    """
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return EXIF_PREFIX + head + tree_bytes(tree, 8, order)


def tree_of_exif(exif: bytes | None) -> tuple[TagTree, str]:
    """EXIF's directories and their byte order; empty ones where there is none."""
    if not exif:
        return TagTree([], {}), "<"
    file = _opened(exif)
    return tag_tree(file, file.first), file.order


def upright_tree(tree: TagTree, order: str, tags: Collection[int]) -> TagTree:
    """A TIFF's directories as those of EXIF.

    Args:
        tree: The TIFF's.
        order: Its byte order.
        tags: Those of the main directory that describe the picture: the others say where the pixels lie.
    """
    entries = [entry for entry in tree.entries if entry.tag in tags]
    return _upright(TagTree(entries, tree.branches), order)


def exif_of_size(exif: bytes, width: int, height: int) -> bytes:
    """Corrects the picture's size in EXIF.

    Args:
        exif: The EXIF bytes, as `upright_exif` returns them.
        width: The picture's width, pixels.
        height: The picture's height, pixels.

    Returns:
        The same bytes but for the sizes. A size that is absent stays absent.
    """
    file = _opened(exif)
    main = file.directory(file.first)
    made = bytearray(file.data)
    stated = [(main, IMAGE_WIDTH, width), (main, IMAGE_LENGTH, height)]
    for place in file.numbers(main.entries.get(EXIF_DIRECTORY))[:1]:
        details = file.directory(place)
        stated += [(details, PIXEL_X_DIMENSION, width), (details, PIXEL_Y_DIMENSION, height)]
    for directory, tag, size in stated:
        entry = directory.entries.get(tag)
        if entry is not None and file.numbers(entry) != (size,):
            _put(made, entry, number_entry(tag, file.order, size), file.order)
    return EXIF_PREFIX + bytes(made)


def exif_with_text(exif: bytes | None, tag: int, text: str) -> bytes:
    """EXIF with a text in its main directory, which is moved to the end; nothing else moves.

    Args:
        exif: As `upright_exif` returns it; None for none.
        tag: The text's tag, which may exist.
        text: In ASCII.
    """
    entry = TagEntry(tag, ASCII, text.encode() + b"\0")
    if not exif:
        return exif_of_tree(TagTree([entry], {}), "<")
    file = _opened(exif)
    main = file.directory(file.first)
    fields = {number: file.data[other.place : other.place + _FIELD] for number, other in main.entries.items()}
    data = file.data + b"\0" * (len(file.data) % 2)
    text_at = len(data) + 2 + _FIELD * len(fields.keys() | {tag}) + 4
    fields[tag] = struct.pack(file.order + "HHII", tag, entry.kind, entry.count, text_at)
    made = bytearray(data)
    _put_pointer(made, 4, len(data), file.order)
    made += struct.pack(file.order + "H", len(fields)) + b"".join(fields[number] for number in sorted(fields))
    return EXIF_PREFIX + bytes(made) + struct.pack(file.order + "I", main.next) + entry.data


def _opened(exif: bytes) -> TagFile:
    return TagFile.of(exif.removeprefix(EXIF_PREFIX))


def _is_whole(file: TagFile, main: TagDirectory) -> bool:
    """Whether the main directory and those that it points to can be read to the last entry."""
    known = tag_tree(file, file.first)
    found = [main]
    for tag, branch in known.branches.items():
        inner = file.directory(*file.numbers(main.entries[tag])[:1])
        found.append(inner)
        found += [file.directory(*file.numbers(inner.entries[other])[:1]) for other in branch.branches]
    # A pointer that leads nowhere is an entry without a branch.
    pointers = sum(tag in main.entries for tag in (EXIF_DIRECTORY, 34853))
    return all(directory.whole for directory in found) and len(known.branches) == pointers


def _upright(tree: TagTree, order: str) -> TagTree:
    entries = [_upright_entry(order) if entry.tag == ORIENTATION else entry for entry in tree.entries]
    return TagTree(entries, tree.branches)


def _upright_entry(order: str) -> TagEntry:
    return number_entry(ORIENTATION, order, 1, kind=SHORT)


def _put(made: bytearray, old: TagEntry, new: TagEntry, order: str) -> None:
    """Overwrites a field by an entry whose value fits into it."""
    struct.pack_into(order + "HHI", made, old.place, new.tag, new.kind, new.count)
    made[old.place + _FIELD - _INLINE : old.place + _FIELD] = new.data.ljust(_INLINE, b"\0")


def _put_pointer(made: bytearray, at: int, offset: int, order: str) -> None:
    struct.pack_into(order + "I", made, at, offset)


def _blanked(made: bytearray, file: TagFile, at: int) -> int:
    """Zeroes the thumbnails of a directory; returns where the data ends without one that stands last."""
    end = len(made)
    try:
        second = file.directory(at).entries
    except ValueError:
        return end
    for offsets, lengths in _THUMBNAILS:
        pairs = zip(file.numbers(second.get(offsets)), file.numbers(second.get(lengths)), strict=False)
        for start, length in sorted(pairs, reverse=True):
            stop = min(start + length, len(made))
            if start >= 8:
                made[start:stop] = bytes(max(0, stop - start))
                end = start if stop == end and start < stop else end
    return end
