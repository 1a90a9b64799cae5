"""The chunks around the pixels of a PNG file (PNG, third edition, clauses 5, 11.2 and 11.3)."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Colour type by channels: grey, grey with alpha, RGB, RGB with alpha (11.2.1).
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
# Rendering intent in the sRGB chunk (11.3.2.5).
_PERCEPTUAL = b"\0"
# What EXIF begins with in a JPEG file, and not in a PNG file.
_EXIF_PREFIX = b"Exif\x00\x00"
_INCHES_PER_METRE = 1 / 0.0254
# Unit in the pHYs chunk (11.3.4.3).
_METRE = 1


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk: length, kind, data, CRC-32 of kind and data."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


END = chunk(b"IEND", b"")


def header(width: int, height: int, channels: int, depth: int) -> bytes:
    """The signature and the IHDR chunk of a picture that is not interlaced.

    Args:
        width: Pixels.
        height: Pixels.
        channels: 1 grey, 2 grey with alpha, 3 RGB, 4 RGB with alpha.
        depth: Bits per sample, 8 or 16.
    """
    fields = struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", fields)


def srgb() -> bytes:
    """The sRGB chunk: the colours are those of sRGB."""
    return chunk(b"sRGB", _PERCEPTUAL)


def metadata_chunks(
    *,
    icc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
) -> bytes:
    """The chunks iCCP, pHYs, eXIf and iTXt for what is given, in an order that is valid before the pixels.

    Args:
        icc: An ICC profile.
        dpi: Pixels per inch, across and down.
        exif: EXIF bytes, with or without the prefix that they have in a JPEG file.
        xmp: An XMP packet.
    """
    chunks = b""
    if icc:
        chunks += chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if dpi:
        across, down = (round(value * _INCHES_PER_METRE) for value in dpi)
        chunks += chunk(b"pHYs", struct.pack(">IIB", across, down, _METRE))
    if exif:
        chunks += chunk(b"eXIf", exif.removeprefix(_EXIF_PREFIX))
    if xmp:
        chunks += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    return chunks
