"""Which further metadata a format holds, in its own wrapper, and a sentence on what is left out."""

from __future__ import annotations

import struct
from collections import Counter

from gpen_fast.image.blocks import IPTC_TAG, PHOTOSHOP, raw_profile, resources_of_iptc
from gpen_fast.image.colour_chunks import is_hdr
from gpen_fast.png.chunks import chunk
from gpen_fast.types import Frame, MetadataBlock, MetadataHolder

# What each format holds; formats of other packages are not known, and nothing is said of them.
_HOLDS: dict[str, frozenset[MetadataHolder]] = {
    "jpg": frozenset({"jpeg", "photoshop", "comment"}),
    "png": frozenset({"png", "photoshop", "comment"}),
    "tif": frozenset({"tiff", "photoshop"}),
    "webp": frozenset(),
}
# PNG chunks that describe the colours: other formats say the same by an ICC profile. See `image.colour_chunks`.
_COLOUR_CHUNKS = frozenset({"gAMA", "cHRM", "sRGB", "cICP"})
# Bytes in a JPEG segment beside its length field (ITU-T T.81, B.1.1.4).
_MOST_SEGMENT = 65533
_COM, _APP0, _APP13 = 0xFE, 0xE0, 0xED
_TIFF_TYPE = 2
# The most names that a note lists.
_MOST_NAMES = 6


def blocks_held(frame: Frame, format: str) -> list[MetadataBlock]:
    """The frame's blocks that a format holds, by its plug-in's name; raw IPTC of a TIFF in the form of the others."""
    held = _HOLDS.get(format, frozenset())
    blocks = [_as_resources(block) if format in ("jpg", "png") else block for block in frame.blocks]
    return [block for block in blocks if block.holder in held and _fits(block, frame)]


def left_out_note(frame: Frame, format: str) -> str:
    """A sentence on the blocks that a format does not hold; empty where it holds all of them."""
    if format not in _HOLDS:
        return ""
    held = blocks_held(frame, format)
    names = Counter(_shown(block) for block in frame.blocks if _is_lost(block, held))
    if not names:
        return ""
    shown = [f"{name} ({count} times)" if count > 1 else name for name, count in names.items()]
    more = [f"{len(shown) - _MOST_NAMES} more"] if len(shown) > _MOST_NAMES else []
    return f"left out, since a .{format} file cannot hold it: {', '.join(shown[:_MOST_NAMES] + more)}."


def jpeg_segments(frame: Frame) -> bytes:
    """Whole APPn and COM segments for a JPEG file."""
    made = b""
    for block in blocks_held(frame, "jpg"):
        if block.holder == "photoshop":
            marker, prefix = _APP13, PHOTOSHOP
        elif block.holder == "comment":
            marker, prefix = _COM, b""
        else:
            marker, prefix = _APP0 + int(block.name.removeprefix("APP")), b""
        room = _MOST_SEGMENT - len(prefix)
        for at in range(0, max(1, len(block.data)), room):
            made += _segment(marker, prefix + block.data[at : at + room])
    return made


def png_chunks(frame: Frame, *, has_icc: bool) -> bytes:
    """Whole chunks for a PNG file, to be written between IHDR and the pixels.

    Args:
        frame: The picture, with the channels that are written.
        has_icc: The file has an iCCP chunk: sRGB beside it is not allowed (PNG, third edition, 11.3.2.5).
    """
    made = b""
    for block in blocks_held(frame, "png"):
        if block.holder == "photoshop":
            made += chunk(b"zTXt", raw_profile(block.data))
        elif block.holder == "comment":
            made += _png_comment(block.data)
        elif not (has_icc and block.name == "sRGB"):
            made += chunk(block.name.encode("latin-1"), block.data)
    return made


def _png_comment(text: bytes) -> bytes:
    """A comment as tEXt in Latin-1, or as iTXt where it is UTF-8 beyond ASCII. Neither may hold a zero byte."""
    text = text.rstrip(b"\0").replace(b"\0", b" ")
    try:
        is_utf8 = not text.isascii() and bool(text.decode())
    except UnicodeDecodeError:
        is_utf8 = False
    return chunk(b"iTXt", b"Comment\0\0\0\0\0" + text) if is_utf8 else chunk(b"tEXt", b"Comment\0" + text)


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _as_resources(block: MetadataBlock) -> MetadataBlock:
    if block.holder == "tiff" and block.name == str(IPTC_TAG):
        return MetadataBlock("photoshop", "IPTC", resources_of_iptc(block.data[_TIFF_TYPE:]))
    return block


def _fits(block: MetadataBlock, frame: Frame) -> bool:
    """Whether a chunk whose form follows the colour type has the form that is written."""
    samples = frame.channels + (frame.alpha is not None)
    length = {"bKGD": 2 * frame.channels, "sBIT": samples}.get(block.name, len(block.data))
    return block.holder != "png" or length == len(block.data)


def _is_lost(block: MetadataBlock, held: list[MetadataBlock]) -> bool:
    is_colour = block.holder == "png" and block.name in _COLOUR_CHUNKS and not is_hdr(block)
    return not is_colour and block not in held and _as_resources(block) not in held


def _shown(block: MetadataBlock) -> str:
    """The block's name for a note; for PNG text also its keyword."""
    if block.holder == "png" and block.name in ("tEXt", "zTXt", "iTXt"):
        keyword = block.data.partition(b"\0")[0].decode("latin-1")
        return f"text {keyword!r}"
    return {"comment": "comment", "tiff": f"tag {block.name}"}.get(block.holder, block.name)
