"""PNG's statements on colour (gAMA, cHRM, cICP) as an ICC profile, for formats that hold nothing else.

PNG, third edition, 11.3.2 and 4.3: cICP counts before iCCP, iCCP before sRGB, and sRGB before gAMA and cHRM.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from gpen_fast.types import ICC_GREY, ICC_RGB, MetadataBlock

# CIE x and y of white, red, green and blue by cICP's number of primaries (ITU-T H.273, table 2).
_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    1: (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_SRGB = _PRIMARIES[1]
# Parameters of ICC's parametricCurveType by cICP's number of transfer (H.273, table 3): a gamma, or sRGB's curve.
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CURVES: dict[int, tuple[float, ...]] = {4: (2.2,), 5: (2.8,), 8: (1.0,), 13: _SRGB_CURVE}
_RGB_MATRIX, _FULL_RANGE = 0, 1
# gAMA and cHRM count in hundred-thousandths. sRGB's own gAMA says no more than what untagged files mean anyway.
_UNIT, _SRGB_GAMMA, _NEAR = 100_000, 0.45455, 0.002
# XYZ of D50, and Bradford's cone response (ICC.1:2022, annex E).
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def colour_profile(blocks: tuple[MetadataBlock, ...], channels: int) -> bytes | None:
    """An ICC profile that says what the chunks say.

    Args:
        blocks: A picture's blocks, those of PNG among them.
        channels: 1 for a profile of grey, 3 for one of RGB.

    Returns:
        The profile; None where the colours are those of sRGB, or nothing is said, or no profile can say it (HDR).
    """
    chunks = {block.name: block.data for block in blocks if block.holder == "png"}
    if said := _of_cicp(chunks.get("cICP", b"")):
        primaries, curve = said
    elif "sRGB" in chunks or "cICP" in chunks:
        return None
    elif "gAMA" in chunks or len(chunks.get("cHRM", b"")) == 32:
        gamma = int.from_bytes(chunks.get("gAMA", b"")[:4]) / _UNIT or _SRGB_GAMMA
        places = struct.unpack(">8I", chunks["cHRM"]) if len(chunks.get("cHRM", b"")) == 32 else ()
        primaries = tuple(value / _UNIT for value in places) or _SRGB
        curve = _SRGB_CURVE if abs(gamma - _SRGB_GAMMA) < _NEAR else (1 / gamma,)
    else:
        return None
    if curve == _SRGB_CURVE and max(abs(a - b) for a, b in zip(primaries, _SRGB, strict=True)) < _NEAR:
        return None
    return _profile(primaries, curve, channels)


def is_hdr(block: MetadataBlock) -> bool:
    """Whether a block is a cICP chunk that no profile of `colour_profile` can replace."""
    return block.holder == "png" and block.name == "cICP" and _of_cicp(block.data) is None


def _of_cicp(data: bytes) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    if len(data) != 4 or data[2:] != bytes([_RGB_MATRIX, _FULL_RANGE]):
        return None
    primaries, curve = _PRIMARIES.get(data[0]), _CURVES.get(data[1])
    return (primaries, curve) if primaries and curve else None


def _profile(primaries: tuple[float, ...], curve: tuple[float, ...], channels: int) -> bytes | None:
    white, *colours = (
        np.array([x / y, 1.0, (1 - x - y) / y]) if y else np.zeros(3)
        for x, y in zip(primaries[::2], primaries[1::2], strict=True)
    )
    columns = np.stack(colours, axis=1)
    if not white.any() or abs(np.linalg.det(columns)) < 1e-9:
        return None
    to_d50 = _adapted(white)
    matrix = to_d50 @ (columns * np.linalg.solve(columns, white))
    kind = {1: 0, 5: 3}[len(curve)]
    shape = b"para" + struct.pack(">IHH", 0, kind, 0) + b"".join(map(_fixed, curve))
    tags = {
        b"desc": _text("PNG colour chunks"),
        b"cprt": _text("No copyright"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32" + bytes(4) + b"".join(map(_fixed, to_d50.ravel().tolist())),
    }
    if channels == 1:
        tags[b"kTRC"] = shape
    else:
        tags |= {name + b"TRC": shape for name in (b"r", b"g", b"b")}
        tags |= {
            name + b"XYZ": _xyz(column) for name, column in zip((b"r", b"g", b"b"), matrix.T, strict=True)
        }
    return _assembled(tags, ICC_GREY if channels == 1 else ICC_RGB)


def _adapted(white: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,3): Bradford's adaptation of XYZ under a white to XYZ under D50."""
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD


def _assembled(tags: dict[bytes, bytes], space: bytes) -> bytes:
    """A display profile of version 4.2 (ICC.1:2022, 7)."""
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = start + len(body)
    head = struct.pack(
        ">I4sI4s4s4s12s4s", size, bytes(4), 0x04200000, b"mntr", space, b"XYZ ", bytes(12), b"acsp"
    )
    return head.ljust(68, b"\0") + _xyz(_D50)[8:] + bytes(48) + table + body


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III4sII", 0, 1, 12, b"enUS", len(data), 28) + data


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, values.tolist()))


def _fixed(value: float) -> bytes:
    """A number with 16 binary places."""
    return struct.pack(">i", round(value * 65536))
