"""Metadata that several formats hold in wrappers of their own: Photoshop's image resources, IPTC among them."""

from __future__ import annotations

import binascii
import struct
import zlib
from collections.abc import Iterator

# What an APP13 segment of JPEG begins with if it holds image resources (Photoshop file formats, "Image Resources").
PHOTOSHOP = b"Photoshop 3.0\0"
# TIFF tags of raw IPTC and of image resources.
IPTC_TAG, PHOTOSHOP_TAG = 33723, 34377
_RESOURCE = b"8BIM"
# Image resources: IPTC, and the thumbnails of Photoshop 4 and 5, which show the picture before its restoration.
_IPTC, _THUMBNAILS = 1028, frozenset({1033, 1036})
# Characters in a line of a raw profile, and bytes that one may unpack to.
_LINE, _MOST_PROFILE = 72, 1 << 20


def resources_without_thumbnails(data: bytes) -> bytes:
    """Image resources without the thumbnails among them; byte for byte what came if they cannot be parsed."""
    kept, end = b"", 0
    for number, start, end in _resources(data):
        kept += b"" if number in _THUMBNAILS else data[start:end]
    return kept if end == len(data) else data


def resources_of_iptc(iptc: bytes) -> bytes:
    """Raw IPTC as the one image resource that holds it."""
    return _RESOURCE + struct.pack(">HHI", _IPTC, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)


def raw_profile(data: bytes) -> bytes:
    """A zTXt chunk's content with image resources, in the form that ImageMagick and ExifTool read and write."""
    digits = binascii.hexlify(data)
    lines = b"\n".join(digits[at : at + _LINE] for at in range(0, len(digits), _LINE))
    text = b"\niptc\n%8d\n" % len(data) + lines + b"\n"
    return b"Raw profile type iptc\0\0" + zlib.compress(text)


def parsed_raw_profile(kind: bytes, data: bytes) -> bytes | None:
    """The image resources in a tEXt or zTXt chunk with the keyword `Raw profile type iptc` or `8bim`.

    Args:
        kind: The chunk's type.
        data: Its content, keyword included.

    Returns:
        The resources; None for any other chunk and for one that cannot be unpacked.
    """
    keyword, _, text = data.partition(b"\0")
    if keyword not in (b"Raw profile type iptc", b"Raw profile type 8bim") or kind == b"iTXt":
        return None
    try:
        if kind == b"zTXt":
            text = zlib.decompressobj().decompress(text[1:], _MOST_PROFILE)
        profile = binascii.unhexlify(b"".join(text.split(b"\n", 3)[3].split()))
    except (zlib.error, binascii.Error, IndexError):
        return None
    profile = profile.removeprefix(PHOTOSHOP)
    return profile if profile.startswith(_RESOURCE) else resources_of_iptc(profile)


def _resources(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each image resource, up to the first that is malformed."""
    start = 0
    while data[start : start + 4] == _RESOURCE and start + 8 <= len(data):
        number, name = struct.unpack_from(">HB", data, start + 4)
        size_at = start + 6 + (name + 2) // 2 * 2  # a name is padded to an even length
        if size_at + 4 > len(data):
            return
        (size,) = struct.unpack_from(">I", data, size_at)
        end = size_at + 4 + size
        if end > len(data):
            return
        end = min(end + size % 2, len(data))
        yield number, start, end
        start = end
