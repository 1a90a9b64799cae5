"""Directories read back value for value, in both byte orders, from classic TIFF and from BigTIFF."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from helpers import photo

from gpen_fast.image.directory import (
    ASCII,
    TagEntry,
    TagFile,
    TagTree,
    directory_bytes,
    number_entry,
    swapped_values,
    tag_tree,
    tree_bytes,
)

TEXT = "Großmutter 祖母".encode() + b"\0"


def tiff(order: str, big: bool) -> bytes:
    file = io.BytesIO()
    tags = [(33922, 12, 6, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), True), (269, 2, len(TEXT), TEXT, True)]
    tifffile.imwrite(file, photo(), byteorder=order, bigtiff=big, photometric="rgb", extratags=tags)
    return file.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_what_tifffile_writes_is_read(order: str, big: bool) -> None:
    file = TagFile.of(tiff(order, big))
    main = file.directory(file.first)
    assert (file.order, file.big, main.whole) == (order, big, True)
    assert file.numbers(main.entries[256]) == (80,)
    assert file.numbers(main.entries[258]) == (8, 8, 8)
    assert main.entries[269].data == TEXT
    places = main.entries[33922]
    assert np.frombuffer(places.data, f"{order}f8").tolist() == [1, 2, 3, 4, 5, 6]
    assert np.frombuffer(swapped_values(12, places.data), f"{'><'[order == '>']}f8")[5] == 6


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tree_reads_back(order: str) -> None:
    deepest = TagTree([TagEntry(1, ASCII, b"R98\0")], {})
    details = TagTree([number_entry(0xA002, order, 80), TagEntry(0x927C, 7, b"maker" * 9)], {40965: deepest})
    tree = TagTree([TagEntry(270, ASCII, TEXT), number_entry(274, order, 1, kind=3)], {34665: details})
    head = {"<": b"II*\0\x08\0\0\0", ">": b"MM\0*\0\0\0\x08"}[order]
    got = tag_tree(TagFile.of(head + tree_bytes(tree, 8, order)), 8)
    assert [(entry.tag, entry.data) for entry in got.entries] == [(e.tag, e.data) for e in tree.entries]
    assert {entry.tag: entry.data for entry in got.branches[34665].entries}[0x927C] == b"maker" * 9
    assert got.branches[34665].branches[40965].entries[0].data == b"R98\0"


def test_damage_is_an_error_or_passed_over() -> None:
    for data in (b"", b"II", b"XX*\0\x08\0\0\0", b"II\x2b\0\x08\0\0\0"):
        with pytest.raises(ValueError):
            TagFile.of(data)
    file = TagFile.of(b"II*\0\x08\0\0\0" + directory_bytes([TagEntry(270, ASCII, b"x" * 99)], 8, "<")[:-50])
    main = file.directory(8)
    assert (main.entries, main.whole) == ({}, False)
    with pytest.raises(ValueError, match="a directory at 500"):
        file.directory(500)
    looped = TagFile.of(b"II*\0\x08\0\0\0" + directory_bytes([number_entry(34665, "<", 8)], 8, "<"))
    assert tag_tree(looped, 8).branches[34665].entries == []
