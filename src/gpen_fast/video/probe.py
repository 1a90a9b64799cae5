"""What is known of a file before it is restored: its stream, and what its first frame carries."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import av
from av.sidedata.sidedata import Type

from gpen_fast.errors import VideoError
from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.reader import VideoReader

# AVMasteringDisplayMetadata (libavutil/mastering_display_metadata.h): ten rationals, then two flags.
_MASTERING = struct.Struct("=20i2i")
_LIGHT = struct.Struct("=2I")
_MATRIX = struct.Struct("=9i")


@dataclass(frozen=True)
class HdrLight:
    """The display that a film was mastered on, and how bright it becomes (SMPTE ST 2086, CTA-861.3)."""

    primaries: tuple[float, ...] = ()
    """x and y of red, green, blue and white; empty where they are not told."""
    luminance: tuple[float, float] | None = None
    """Least and largest, cd/m2; None where they are not told."""
    content: tuple[int, int] | None = None
    """Brightest pixel and brightest frame on average, cd/m2; None where they are not told."""


@dataclass(frozen=True)
class VideoFacts:
    """A file that can be restored."""

    stream: StreamFacts
    """Its video stream."""
    display_matrix: tuple[int, ...] | None
    """How players turn or mirror it, as the container holds it; None where they do not."""
    light: HdrLight | None
    """Its HDR metadata; None where it has none."""
    container: str
    """FFmpeg's name of its format, such as mov,mp4,m4a,3gp,3g2,mj2."""
    dynamic: str
    """HDR metadata of each frame that no encoder here writes, by name; empty where it has none."""


def probe_video(path: Path, *, deinterlace: bool = False) -> VideoFacts:
    """Opens a file and decodes its first frame.

    Args:
        path: The file.
        deinterlace: Interlaced frames are accepted.

    Raises:
        VideoError: It is no video, has no frames, or one that cannot be restored.
        OSError: It cannot be read.
    """
    with VideoReader(path, deinterlace=deinterlace) as reader:
        first = next(reader.frames(), None)
        if first is None:
            damaged = reader.state.damaged
            why = f"none of its {damaged} packets could be decoded" if damaged else "it holds no frames"
            raise VideoError(f"no frame could be read: {why}. The file is cut off or damaged.")
        matrix = _bytes(first.frame, Type.DISPLAYMATRIX)
        return VideoFacts(
            reader.facts,
            _MATRIX.unpack_from(matrix) if matrix else None,
            _light(first.frame),
            reader.container_name,
            ", ".join(name for name, kind in _DYNAMIC.items() if _bytes(first.frame, kind)),
        )


_DYNAMIC = {"HDR10+": Type.DYNAMIC_HDR_PLUS, "Dolby Vision": Type.DOVI_METADATA}


def _light(frame: av.VideoFrame) -> HdrLight | None:
    mastering, content = (
        _bytes(frame, Type.MASTERING_DISPLAY_METADATA),
        _bytes(frame, Type.CONTENT_LIGHT_LEVEL),
    )
    if not mastering and not content:
        return None
    primaries: tuple[float, ...] = ()
    luminance = None
    if mastering:
        *numbers, has_primaries, has_luminance = _MASTERING.unpack_from(mastering)
        values = [up / down if down else 0.0 for up, down in zip(numbers[::2], numbers[1::2], strict=True)]
        primaries = tuple(values[:8]) if has_primaries else ()
        luminance = (values[8], values[9]) if has_luminance else None
    levels = _LIGHT.unpack_from(content) if content else None
    return HdrLight(primaries, luminance, levels)


def _bytes(frame: av.VideoFrame, kind: Type) -> bytes:
    try:
        return bytes(frame.side_data[kind])  # type: ignore[literal-required]  # PyAV types it by names
    except KeyError:
        return b""
