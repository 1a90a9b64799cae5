"""A file's format, told from its first bytes, and its header; nothing is decoded here.

Only the Pillow plug-in of that format opens the file. Trying all of them, as `Image.open` does, would run Ghostscript
for a PostScript file that is named .jpg.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import stat
import struct
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from gpen_fast.errors import PictureError, first_line

# Formats for messages.
READ = "JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF, GIF, JPEG 2000, PNM, PSD and TGA"
# Decoders count bytes in signed 32-bit integers.
_MOST_BYTES = 2**31 - 1
# Flag for os.open: returns at once for a FIFO, which would else block until another process writes to it.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
# Pillow's module for each format, and the class or function in it that opens a file.
_OPENERS = {
    "JPEG": ("PIL.JpegImagePlugin", "jpeg_factory"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "JPEG 2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "PNM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "PSD": ("PIL.PsdImagePlugin", "PsdImageFile"),
    "TGA": ("PIL.TgaImagePlugin", "TgaImageFile"),
    "HEIC": ("pillow_heif.as_plugin", "HeifImageFile"),
}
# First bytes of a file. The last two are BigTIFF.
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"8BPS": "PSD",
}
# Netpbm: P1 to P6, then white space. JPEG XL: a bare stream and a container.
_PNM = re.compile(rb"P[1-6][ \t\r\n#]")
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
# TGA has no signature, only a footer that older files lack (Truevision TGA 2.0). Its header: whether there is a
# palette, the kind of picture, the palette's bits, the size, the bits of a pixel.
_TGA_FOOTER = b"TRUEVISION-XFILE."
_TGA_HEADER = struct.Struct("<xBBxxxxBxxxxHHBx")
_TGA_KINDS, _TGA_BITS = frozenset({1, 2, 3, 9, 10, 11}), frozenset({8, 15, 16, 24, 32})
# TIFF tags (TIFF 6.0, section 15).
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
# Flags in the third byte of AV1's configuration box (AV1 in ISOBMFF, 2.3.3), and where that byte stands behind the
# box's name. The box lies in the file's head, before the pixels.
_HIGH_BIT_DEPTH, _TWELVE_BITS = 0x40, 0x20
_AV1_FLAGS, _AV1_HEAD = 6, 4096


# The start of a JPEG 2000 stream and its SIZ segment, and where that states the bits of the first component (ISO/IEC
# 15444-1, A.5.1).
_JP2_HEAD = 4096
_SIZ, _SSIZ = b"\xff\x4f\xff\x51", 42


def read_bytes(path: Path) -> bytes:
    """Reads a regular file.

    Raises:
        PictureError: It is not a regular file, is empty, or holds 2 GiB or more.
        OSError: It cannot be read.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAIT)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise PictureError("is not a regular file.")
        if status.st_size > _MOST_BYTES:
            raise PictureError(f"{status.st_size / 2**30:.1f} GiB: accepted are files below 2 GiB.")
        data = file.read()
        after = os.fstat(file.fileno())
    if (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
        raise PictureError("changed while it was read. Run the same command again once it is complete.")
    if not data:
        raise PictureError("the file is empty.")
    return data


def open_header(data: bytes, max_pixels: int) -> Image.Image:
    """Reads a file's header.

    Args:
        data: The whole file.
        max_pixels: The most pixels that it may declare.

    Returns:
        A PIL image whose pixels are not decoded yet.

    Raises:
        PictureError: The format is unknown, the header is damaged, or it declares too many pixels.
    """
    kind = kind_of(data)
    opener = _opener(kind)
    try:
        image = opener(io.BytesIO(data), "")
    except (Image.DecompressionBombError, MemoryError):
        raise
    except Exception as cause:  # Pillow's plug-ins raise almost any exception for a damaged header
        raise PictureError(_unreadable(kind, cause)) from cause
    check_size(image, max_pixels)
    if kind == "JPEG 2000" and (profile := _jp2_profile(data)):
        image.info.setdefault("icc_profile", profile)
    return image


def kind_of(data: bytes) -> str:
    """The format, told from the first bytes: one of the names in READ.

    Raises:
        PictureError: Any other content.
    """
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if (
        data[4:8] == b"ftyp"
    ):  # the box that lists the brands which the file conforms to (ISO/IEC 14496-12, 4.3)
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")):
            return "HEIC"
    if _PNM.match(data):
        return "PNM"
    if data.startswith(_JPEG_XL):
        raise PictureError(f"is JPEG XL, which is not read: accepted are {READ}. Convert it first.")
    if _is_tga(data):
        return "TGA"
    raise PictureError(f"not a picture that can be read: its content has no known format. Accepted: {READ}.")


def _is_tga(data: bytes) -> bool:
    """Whether a file is a TGA, by its footer or by a header in which nothing is out of range."""
    if len(data) < _TGA_HEADER.size:
        return False
    palette, kind, palette_bits, width, height, bits = _TGA_HEADER.unpack_from(data)
    fits = palette <= 1 and kind in _TGA_KINDS and bits in _TGA_BITS and width and height
    fits = fits and (palette_bits in _TGA_BITS if palette else palette_bits == 0 and kind not in (1, 9))
    return bool(fits) and (_TGA_FOOTER in data[-26:] or len(data) > _TGA_HEADER.size)


def _jp2_profile(data: bytes) -> bytes | None:
    """The ICC profile in a JP2's colour box, which Pillow passes over (ISO/IEC 15444-1, I.5.3.3)."""
    at = data.find(b"colr", 0, _JP2_HEAD)
    if at < 4 or data[at + 4 : at + 5] not in (b"\x02", b"\x03"):
        return None
    return data[at + 7 : at - 4 + int.from_bytes(data[at - 4 : at])] or None


def bits_cut(image: Image.Image, data: bytes) -> int:
    """Bits per sample of a HEIC or AVIF file, which Pillow decodes to 8 bits; 8 for any other format."""
    if image.format == "AVIF" and (at := data.find(b"av1C", 0, _AV1_HEAD)) >= 0:
        flags = data[at + _AV1_FLAGS]
        return 8 if not flags & _HIGH_BIT_DEPTH else 12 if flags & _TWELVE_BITS else 10
    if image.format == "JPEG2000" and image.mode != "I;16" and (at := data.find(_SIZ)) >= 0:
        return (data[at + _SSIZ] & 0x7F) + 1
    return int(image.info.get("bit_depth", 8)) if image.format == "HEIF" else 8


def check_size(image: Image.Image, max_pixels: int) -> None:
    """Checks the pixels that a header declares, for the picture and for one tile of a TIFF.

    Raises:
        PictureError: Either has more than `max_pixels`. A tile is allocated whole, whatever the picture's size.
    """
    tags = getattr(image, "tag_v2", {})
    tile = (tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0))
    for width, height in (image.size, tile):
        check_declared(width, height, max_pixels)


def check_declared(width: int, height: int, max_pixels: int) -> None:
    """Raises PictureError where a header declares more than `max_pixels` pixels."""
    if width * height > max_pixels:
        raise PictureError(
            f"declares {width}x{height} pixels: accepted are {max_pixels}. "
            "Try a higher --max-pixels if you trust this file."
        )


def _opener(kind: str) -> Callable[[io.BytesIO, str], Image.Image]:
    """What opens files of this format; PictureError where its library is not installed."""
    module, name = _OPENERS[kind]
    try:
        opener: Callable[[io.BytesIO, str], Image.Image] = getattr(importlib.import_module(module), name)
    except ImportError:
        package = "pillow-heif" if kind == "HEIC" else "Pillow 11.3 or later"
        extra = "gpen-fast[heic]" if kind == "HEIC" else "pillow>=11.3"
        raise PictureError(
            f"{kind} needs {package}, which is not installed. Try: pip install '{extra}'"
        ) from None
    return opener


def _unreadable(kind: str, cause: Exception) -> str:
    """The message for a header that Pillow cannot read."""
    words = first_line(cause).rstrip(".")
    if kind == "PNG" and "MAX_TEXT_CHUNK" in words:
        return "holds a text or profile that unpacks to more than 1 MiB. Save it again without."
    if kind == "PSD" and isinstance(cause.__cause__ or cause, KeyError):
        return "a PSD of a kind that is not read: accepted are 8 bits in grey, RGB, CMYK and Lab. Convert it first."
    if kind == "PSD" and words == "not a PSD file":
        return "a PSD of a version that is not read, such as PSB. Save it as PSD or TIFF."
    if kind == "TIFF" and "unknown pixel mode" in words:
        return (
            "a TIFF of a kind that is not read: accepted are 8 bits, and grey, RGB or RGBA of 16 bits. "
            "Convert it first."
        )
    return f"damaged: its {kind} header cannot be read ({words})."
