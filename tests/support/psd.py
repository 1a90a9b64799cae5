"""PSD files by Adobe's specification (Photoshop file formats), which Pillow does not write."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

GREY, RGB, CMYK = 1, 3, 4


def psd(
    array: np.ndarray,
    *,
    mode: int = RGB,
    layers: int = 0,
    resources: Mapping[int, bytes] = {},
    version: int = 1,
) -> bytes:
    """Returns a PSD whose merged picture is packed by PackBits.

    Args:
        array: (H,W,C) uint8 or uint16, as the file holds it: mixed with white under transparency, ink inverted.
        mode: The colour mode.
        layers: Empty layers; below zero says that the first channel behind the colours is transparency.
        resources: Image resources by number.
        version: 1, or 2 for PSB.
    """
    height, width, channels = array.shape
    head = b"8BPS" + struct.pack(">H6xHIIHH", version, channels, height, width, 8 * array.itemsize, mode)
    said = b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + b"\0" * (len(data) % 2)
        for number, data in resources.items()
    )
    layer = struct.pack(">4I H", 0, 0, 0, 0, 0) + b"8BIMnorm" + bytes([255, 0, 0, 0]) + struct.pack(">I", 12)
    info = struct.pack(">h", layers) + (layer + bytes(12)) * abs(layers) if layers else b""
    section = struct.pack(">I", len(info)) + info + bytes(4) if info else b""
    rows = [
        _packed(row.tobytes())
        for row in array.astype(f">u{array.itemsize}").transpose(2, 0, 1).reshape(-1, width)
    ]
    counts = b"".join(struct.pack(">H", len(row)) for row in rows)
    parts = (b"", said, section)
    return (
        head
        + b"".join(struct.pack(">I", len(part)) + part for part in parts)
        + b"\0\1"
        + counts
        + b"".join(rows)
    )


def _packed(row: bytes) -> bytes:
    """PackBits of literal runs only."""
    return b"".join(
        bytes([len(row[at : at + 128]) - 1]) + row[at : at + 128] for at in range(0, len(row), 128)
    )
