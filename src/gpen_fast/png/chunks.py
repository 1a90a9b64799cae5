"""What stands around the pixels in a PNG file (third edition, clauses 5, 11.2 and 11.3)."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Colour type by channels: grey, grey with alpha, RGB, RGB with alpha.
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_PERCEPTUAL = b"\0"
_EXIF_PREFIX = b"Exif\x00\x00"
_INCHES_PER_METRE = 1 / 0.0254
_METRE = 1


def chunk(kind: bytes, data: bytes) -> bytes:
    """Length, kind, data, CRC-32."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


END = chunk(b"IEND", b"")


def header(width: int, height: int, channels: int, depth: int) -> bytes:
    """The signature and IHDR. channels: 1 to 4; depth: 8 or 16 bits a sample; not interlaced."""
    fields = struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", fields)


def srgb() -> bytes:
    """Says that the colours are sRGB's."""
    return chunk(b"sRGB", _PERCEPTUAL)


def metadata(
    *,
    icc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
) -> bytes:
    """iCCP, pHYs, eXIf and iTXt for what is given, in an order that may stand before the pixels.

    dpi: pixels per inch, across and down. exif: with or without the prefix that it has in a JPEG file.
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
