"""Further metadata reaches every format that holds it; the rest is named."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import photo
from PIL import Image
from saving import frame_of

from gpen_fast.image.blocks import resources_of_iptc
from gpen_fast.pictures import load_image, save_image
from gpen_fast.stages.load.parts import parts_of
from gpen_fast.stages.save.base import open_writer
from gpen_fast.stages.save.carry import left_out_note
from gpen_fast.types import Frame, MetadataBlock

IPTC = MetadataBlock("photoshop", "IPTC", resources_of_iptc(b"\x1c\x02\x78\x00\x07caption"))
COMMENT = MetadataBlock("comment", "COM", b"by hand")
MAKER = MetadataBlock("jpeg", "APP5", b"RICOH")
TITLE = MetadataBlock("png", "tEXt", b"Title\0mother")
GAMMA = MetadataBlock("png", "gAMA", b"\0\0\xb1\x8f")
HDR = MetadataBlock("png", "cICP", bytes([9, 16, 0, 1]))
ALL = (IPTC, COMMENT, MAKER, TITLE, GAMMA)


def frame(*blocks: MetadataBlock) -> Frame:
    return replace(frame_of(photo()), blocks=blocks)


@pytest.mark.parametrize(
    ("suffix", "kept"),
    [
        ("jpg", {IPTC, COMMENT, MAKER}),
        ("png", {IPTC, COMMENT, TITLE, GAMMA}),
        ("tif", {IPTC}),
        ("webp", set()),
    ],
)
def test_each_format_holds_what_it_can(suffix: str, kept: set[MetadataBlock]) -> None:
    got = parts_of(open_writer(suffix).encode(frame(*ALL), 95)).blocks
    assert {(block.holder, block.data) for block in got} == {(block.holder, block.data) for block in kept}


@pytest.mark.parametrize(
    ("suffix", "said"),
    [
        ("jpg", "left out, since a .jpg file cannot hold it: text 'Title'."),
        ("png", "left out, since a .png file cannot hold it: APP5."),
        ("tif", "left out, since a .tif file cannot hold it: comment, APP5, text 'Title'."),
        ("webp", "left out, since a .webp file cannot hold it: IPTC, comment, APP5, text 'Title'."),
        ("unknown", ""),
    ],
)
def test_the_rest_is_named(suffix: str, said: str) -> None:
    assert left_out_note(frame(*ALL), suffix) == said


def test_names_are_bounded_and_counted() -> None:
    many = [MetadataBlock("png", "tEXt", b"Key%d\0x" % number) for number in range(9)]
    said = left_out_note(frame(MAKER, MAKER, *many), "webp")
    assert said.startswith("left out, since a .webp file cannot hold it: APP5 (2 times), text 'Key0'")
    assert said.endswith(", 4 more.")


def test_hdr_is_named_where_no_profile_says_it() -> None:
    assert left_out_note(frame(HDR), "jpg") == "left out, since a .jpg file cannot hold it: cICP."
    assert left_out_note(frame(HDR), "png") == ""


def test_long_blocks_are_split_over_segments() -> None:
    long = MetadataBlock("photoshop", "IPTC", resources_of_iptc(b"x" * 150_000))
    words = MetadataBlock("comment", "COM", b"y" * 70_000)
    got = parts_of(open_writer("jpg").encode(frame(long, words), 95)).blocks
    assert long in got
    assert b"".join(block.data for block in got if block.holder == "comment") == words.data


def test_background_of_another_colour_type_is_left_out() -> None:
    grey = replace(frame_of(photo(channels=1)), blocks=(MetadataBlock("png", "bKGD", bytes(6)),))
    assert b"bKGD" not in open_writer("png").encode(grey, 95)
    assert left_out_note(grey, "png") == "left out, since a .png file cannot hold it: bKGD."
    assert b"bKGD" in open_writer("png").encode(replace(grey, channels=3), 95)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tif"])
def test_colour_chunks_become_a_profile(suffix: str) -> None:
    wide = MetadataBlock("png", "cICP", bytes([12, 13, 0, 1]))
    with Image.open(io.BytesIO(open_writer(suffix).encode(frame(wide), 95))) as image:
        assert image.info["icc_profile"][16:20] == b"RGB "


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_exiftool_reads_the_caption_in_every_format(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "in.jpg"
    Image.fromarray(photo()).save(source)
    caption = ["-IPTC:Caption-Abstract=mother", "-IPTC:Keywords=family", "-Comment=by hand"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *caption, str(source)], check=True)
    save_image(load_image(source), tmp_path / f"out.{suffix}")
    said = subprocess.run(
        [
            "exiftool",
            "-j",
            "-warning",
            "-Caption-Abstract",
            "-Keywords",
            "-Comment",
            str(tmp_path / f"out.{suffix}"),
        ],
        capture_output=True,
        check=True,
    )
    got = json.loads(said.stdout)[0]
    assert (got["Caption-Abstract"], got["Keywords"]) == ("mother", "family")
    assert got.get("Comment") == (None if suffix == "tif" else "by hand")
    assert "Warning" not in got


@pytest.mark.skipif(not shutil.which("pngcheck"), reason="pngcheck is not installed")
def test_pngcheck_has_no_objection(tmp_path: Path) -> None:
    umlauts = MetadataBlock("comment", "COM", "Großmutter".encode())
    save_image(frame(*ALL, umlauts), tmp_path / "a.png")
    said = subprocess.run(
        ["pngcheck", "-q", str(tmp_path / "a.png")], capture_output=True, text=True, check=True
    )
    assert said.stdout == ""
