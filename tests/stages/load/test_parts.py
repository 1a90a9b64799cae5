"""What a file holds beside its picture is taken over byte for byte, or named as what a result cannot hold."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from helpers import photo
from PIL import Image

from gpen_fast.stages.load.parts import end_of_jpeg, parts_of


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(photo()).save(file, kind, **options)
    return file.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(*segments: bytes) -> bytes:
    data = saved("JPEG", exif=Image.Exif().tobytes(), xmp=b"<x/>", dpi=(300, 300))
    return data[:2] + b"".join(segments) + data[2:]


def with_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    data = saved("PNG")
    made = b"".join(
        struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks
    )
    return data[:33] + made + data[33:]


def told(data: bytes) -> list[tuple[str, str, bytes]]:
    return [(block.holder, block.name, block.data) for block in parts_of(data).blocks]


def test_jpeg_segments() -> None:
    resources = b"8BIM\x04\x04\0\0\0\0\0\x02ab"
    data = with_segments(
        segment(0xFE, b"a comment"),
        segment(0xED, b"Photoshop 3.0\0" + resources[:6]),
        segment(0xED, b"Photoshop 3.0\0" + resources[6:]),
        segment(0xE5, b"RICOH"),
        segment(0xE1, b"FLIR\0thermal"),
        segment(0xEE, b"Adobe\0d\0\0\0\0\x01"),
        segment(0xE0, b"JFXX\0thumbnail"),
        segment(0xE2, b"ICC_PROFILE\0\x01\x01"),
    )
    assert told(data) == [
        ("comment", "COM", b"a comment"),
        ("jpeg", "APP5", b"RICOH"),
        ("jpeg", "APP1", b"FLIR\0thermal"),
        ("photoshop", "IPTC", resources),
    ]
    assert parts_of(data).unkept == []


def test_what_no_jpeg_result_holds_is_named() -> None:
    credentials = segment(0xEB, b"JP\0\x01jumb")
    data = with_segments(credentials, credentials) + b"\0\0" + b"a video of the moment"
    assert parts_of(data).unkept == ["content credentials (APP11)", "21 bytes behind its picture"]
    assert parts_of(with_segments() + b"\0\0\xff\xff").unkept == [], "padding"


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_the_end_of_a_jpeg_is_found(options: dict[str, object]) -> None:
    data = saved("JPEG", **options)
    assert end_of_jpeg(data + b"behind \xff\xd9") == len(data)
    assert end_of_jpeg(data[:-2]) == len(data) - 2


def test_png_chunks() -> None:
    data = with_chunks(
        (b"tEXt", b"Title\0mother"),
        (b"tEXt", b"Comment\0by hand"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"),
        (b"tEXt", b"Raw profile type exif\0\n"),
        (b"gAMA", b"\0\0\xb1\x8f"),
        (b"tIME", bytes(7)),
        (b"prVt", b"private, safe to copy"),
        (b"bKGD", bytes(6)),
    )
    assert told(data) == [
        ("png", "tEXt", b"Title\0mother"),
        ("comment", "tEXt", b"by hand"),
        ("png", "gAMA", b"\0\0\xb1\x8f"),
        ("png", "prVt", b"private, safe to copy"),
        ("png", "bKGD", bytes(6)),
    ]
    assert parts_of(data).unkept == []


def test_what_no_png_result_holds_is_named() -> None:
    data = with_chunks((b"caBX", b"x"), (b"prVT", b"unsafe to copy")) + b"behind"
    assert parts_of(data).unkept == [
        "content credentials (caBX)", "a prVT chunk", "6 bytes behind its picture",
    ]  # fmt: skip


def test_webp() -> None:
    assert parts_of(saved("WEBP", lossless=True)).lossless
    data = saved("WEBP", quality=80)
    assert not parts_of(data).lossless
    body = data[8:] + b"C2PA" + struct.pack("<I", 3) + b"abc\0"
    assert parts_of(b"RIFF" + struct.pack("<I", len(body)) + body).unkept == ["a C2PA chunk"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_torn_files_end_the_search(kind: str) -> None:
    data = saved(kind)
    for length in range(min(len(data), 400)):
        parts_of(data[:length])
    parts_of(data[:12] + b"\xff" * 400)
