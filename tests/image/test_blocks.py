"""Image resources pass between JPEG, PNG and TIFF unchanged, but for the thumbnails of the old picture."""

from __future__ import annotations

import struct
import zlib

from gpen_fast.image.blocks import (
    PHOTOSHOP,
    parsed_raw_profile,
    raw_profile,
    resources_of_iptc,
    resources_without_thumbnails,
)

IPTC = b"\x1c\x02\x78\x00\x07caption"


def resource(number: int, data: bytes, name: bytes = b"\0\0") -> bytes:
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + name
        + struct.pack(">I", len(data))
        + data
        + bytes(len(data) % 2)
    )


def test_thumbnails_go_and_the_rest_stays_byte_for_byte() -> None:
    kept = [resource(1028, IPTC), resource(2000, b"odd", b"\x03abc")]
    data = kept[0] + resource(1036, b"old face") + kept[1] + resource(1033, b"older")
    assert resources_without_thumbnails(data) == b"".join(kept)


def test_what_cannot_be_parsed_stays_whole() -> None:
    for data in (resource(1036, b"x" * 9)[:-4], b"noise", resource(1028, IPTC) + b"8BIM\x04"):
        assert resources_without_thumbnails(data) == data


def test_raw_profile_reads_back() -> None:
    resources = resources_of_iptc(IPTC * 40)
    assert parsed_raw_profile(b"zTXt", raw_profile(resources)) == resources


def test_raw_profiles_of_other_programs() -> None:
    bare = b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n      12\n" + IPTC.hex().encode() + b"\n")
    assert parsed_raw_profile(b"zTXt", bare) == resources_of_iptc(IPTC)
    digits = (PHOTOSHOP + resources_of_iptc(IPTC)).hex().encode()
    assert parsed_raw_profile(b"tEXt", b"Raw profile type 8bim\0\n8bim\n 40\n" + digits) == resources_of_iptc(
        IPTC
    )
    assert parsed_raw_profile(b"zTXt", b"Raw profile type iptc\0\0noise") is None
    assert parsed_raw_profile(b"tEXt", b"Author\0mother") is None
