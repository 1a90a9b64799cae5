"""What a file holds beside the pixels, EXIF, ICC, XMP and density of its first picture: read, and named where lost."""

from __future__ import annotations

import contextlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from gpen_fast.image.blocks import (
    PHOTOSHOP,
    PHOTOSHOP_TAG,
    parsed_raw_profile,
    resources_without_thumbnails,
)
from gpen_fast.image.directory import classic, swapped_values
from gpen_fast.stages.load.tiff import picture_page
from gpen_fast.types import MetadataBlock

# JPEG markers (ITU-T T.81, table B.1). After SOS comes coded data, in which FF00 and RST0..7 are no markers.
_SOI, _EOI, _SOS, _COM, _APP0, _APP15 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xEF
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\x01\xd0-\xd7\xff]")
# Segments that are written anew, or that describe the very coding of the file: JFIF and its thumbnail, EXIF, XMP, ICC,
# the index of further pictures, SPIFF, Adobe's colour transform.
_OWN_SEGMENTS = (
    (0xE0, b"JFIF\0"), (0xE0, b"JFXX\0"), (0xE1, b"Exif\0"), (0xE1, b"http://ns.adobe.com/"), (0xE2, b"ICC_PROFILE\0"),
    (0xE2, b"MPF\0"), (0xE2, b"urn:iso:std:iso:ts:21496"), (0xE8, b"SPIFF\0"), (0xEE, b"Adobe"),
)  # fmt: skip
_JUMBF, _JUMBF_WORDS = 0xEB, "content credentials (APP11)"
_PADDING = b"\0\xff \r\n"
# PNG chunks (PNG, third edition, 11) that are written anew, that no longer hold for other pixels (the time of the last
# change, a palette's histogram), or that belong to an animation, which is counted elsewhere.
_OWN_CHUNKS = frozenset(b"IHDR PLTE IDAT tRNS iCCP pHYs eXIf tIME hIST iDOT acTL fcTL fdAT CgBI".split())
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_OWN_TEXTS = (b"XML:com.adobe.xmp", b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp",
              b"Raw profile type icc", b"Raw profile type icm")  # fmt: skip
# Chunks whose form follows the colour type, and others that are known, and kept, though no bit calls them safe to copy.
_BY_COLOUR_TYPE = frozenset({b"bKGD", b"sBIT"})
_KNOWN_CHUNKS = frozenset(b"gAMA cHRM sRGB cICP mDCV cLLI mDCv cLLi oFFs pCAL sCAL sTER sPLT".split())
_SAFE_TO_COPY = 0x20
_PALETTE, _WHOLE_BYTES = 3, 8
# RIFF chunks of WebP that are written anew or counted elsewhere.
_OWN_RIFF = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"EXIF", b"XMP ", b"ANIM", b"ANMF"})
# Tags of TIFF (TIFF 6.0, section 8) that describe the picture beside those that EXIF has too: name of the document and
# of the page, host, calibration of density, and all private ones but those that are read elsewhere, EXIF, GPS, ICC,
# interoperability, layers, or that say how a camera's raw data or a further picture lies in the file.
_MORE_TAGS = frozenset({269, 285, 290, 291, 316})
_PRIVATE, _LAYERS, _POINTER = 32768, 37724, 13
_OWN_TAGS = frozenset(
    {34665, 34853, 34675, 34377, 40965, *range(32995, 32999), *range(50706, 50985), *range(33421, 33423)}
)


@dataclass
class FileParts:
    """What was found."""

    blocks: list[MetadataBlock] = field(default_factory=list)
    """What results may carry."""

    unkept: list[str] = field(default_factory=list)
    """What no result holds, as nouns."""

    lossless: bool = False
    """As in `Frame`."""


def parts_of(data: bytes) -> FileParts:
    """Reads the parts of a JPEG, PNG or WebP file; empty for any other. Damaged parts are passed over.

    Args:
        data: The whole file.
    """
    parts = FileParts()
    if data[:2] == b"\xff\xd8":
        _read_jpeg(data, parts)
    elif data[:4] == b"\x89PNG":
        _read_png(data, parts)
    elif data[8:12] == b"WEBP":
        _read_webp(data, parts)
    elif data[:2] in (b"II", b"MM"):
        with contextlib.suppress(ValueError):
            _read_tiff(data, parts)
    return parts


def _read_jpeg(data: bytes, parts: FileParts) -> None:
    resources = b""
    for marker, segment in _segments(data):
        if marker == _COM:
            parts.blocks.append(MetadataBlock("comment", "COM", segment))
        elif marker == _JUMBF and _JUMBF_WORDS not in parts.unkept:
            parts.unkept.append(_JUMBF_WORDS)
        elif segment.startswith(PHOTOSHOP):
            resources += segment.removeprefix(PHOTOSHOP)
        elif marker != _JUMBF and not any(
            marker == own and segment.startswith(s) for own, s in _OWN_SEGMENTS
        ):
            parts.blocks.append(MetadataBlock("jpeg", f"APP{marker - _APP0}", segment))
    if resources and (kept := resources_without_thumbnails(resources)):
        parts.blocks.append(MetadataBlock("photoshop", "IPTC", kept))
    _note_behind(data[end_of_jpeg(data) :], parts)


def _note_behind(data: bytes, parts: FileParts) -> None:
    """Notes what a file has behind its picture: a motion photo's video, a camera's own data."""
    if behind := len(data.strip(_PADDING)):
        parts.unkept.append(f"{behind} bytes behind its picture")


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each APPn and COM segment before the pixels."""
    at = 2
    while (found := _NEXT_MARKER.match(data, at)) and data[found.end() - 1] not in (_SOS, _EOI):
        marker, at = data[found.end() - 1], found.end()
        length = int.from_bytes(data[at : at + 2])
        if length < 2 or at + length > len(data):
            return
        if _APP0 <= marker <= _APP15 or marker == _COM:
            yield marker, data[at + 2 : at + length]
        at += length


def end_of_jpeg(data: bytes) -> int:
    """The offset behind the first picture's end marker; the file's length where it has none."""
    at = 2
    while found := _NEXT_MARKER.search(data, at):
        marker, at = data[found.end() - 1], found.end()
        if marker == _EOI:
            return at
        if marker != _SOI:
            at += max(2, int.from_bytes(data[at : at + 2]))
    return len(data)


def _read_png(data: bytes, parts: FileParts) -> None:
    depth, colour_type = (data[24], data[25]) if len(data) > 25 else (0, 0)
    same_form = depth >= _WHOLE_BYTES and colour_type != _PALETTE
    for kind, content in _chunks(data):
        name = kind.decode("latin-1")
        if kind == b"IEND":
            _note_behind(content, parts)
        elif kind in _OWN_CHUNKS or (kind in _TEXTS and content.partition(b"\0")[0] in _OWN_TEXTS):
            continue
        elif kind in _TEXTS and (resources := parsed_raw_profile(kind, content)):
            parts.blocks.append(MetadataBlock("photoshop", "IPTC", resources_without_thumbnails(resources)))
        elif kind == b"tEXt" and content.startswith(b"Comment\0"):
            parts.blocks.append(MetadataBlock("comment", name, content.partition(b"\0")[2]))
        elif (
            kind in _KNOWN_CHUNKS | _TEXTS
            or kind[3] & _SAFE_TO_COPY
            or (kind in _BY_COLOUR_TYPE and same_form)
        ):
            parts.blocks.append(MetadataBlock("png", name, content))
        elif kind not in _BY_COLOUR_TYPE:
            parts.unkept.append("content credentials (caBX)" if kind == b"caBX" else f"a {name} chunk")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk but IDAT whose checksum is right; for IEND, what lies behind it."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            return
        kind = data[at + 4 : at + 8]
        if kind != b"IDAT" and kind.isalpha():
            content = data[at + 8 : end - 4] if kind != b"IEND" else b""
            if zlib.crc32(kind + content) == int.from_bytes(data[end - 4 : end]):
                yield kind, data[end:] if kind == b"IEND" else content
        if kind == b"IEND":
            return
        at = end


def _read_webp(data: bytes, parts: FileParts) -> None:
    at, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        kind = data[at : at + 4]
        if kind == b"VP8L":
            parts.lossless = True
        elif kind not in _OWN_RIFF:
            parts.unkept.append(f"a {kind.decode().strip()} chunk" if kind.isalnum() else "an unknown chunk")
        at += 8 + (int.from_bytes(data[at + 4 : at + 8], "little") + 1) // 2 * 2
    _note_behind(data[end:], parts)


def _read_tiff(data: bytes, parts: FileParts) -> None:
    page = picture_page(data)
    order = page.file.order
    for tag, found in page.tags.items():
        entry = classic(found, order)
        if tag == _LAYERS:
            parts.unkept.append("Photoshop's layers")
        elif tag == PHOTOSHOP_TAG:
            kept = resources_without_thumbnails(entry.data)
            parts.blocks.append(MetadataBlock("photoshop", "IPTC", kept))
        elif (tag in _MORE_TAGS or tag >= _PRIVATE) and tag not in _OWN_TAGS and entry.kind != _POINTER:
            values = entry.data if order == "<" else swapped_values(entry.kind, entry.data)
            parts.blocks.append(MetadataBlock("tiff", str(tag), struct.pack("<H", entry.kind) + values))
