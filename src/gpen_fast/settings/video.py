"""How `video` reads and writes: its options. Imports no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gpen_fast.errors import SettingsError

# Seconds, or minutes or hours before them: 90.5, 1:30.5, 0:01:30.5.
_TIME = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?)")
_NO_TIME = "accepted are seconds, such as 90.5, or 1:30.5, or 0:01:30.5."


@dataclass(frozen=True)
class VideoOptions:
    """How `video` reads its inputs and writes its outputs."""

    codec: str | None = None
    """Codec of the result, such as h264, hevc, av1, vp9, prores or ffv1; by default the input's, or else h264."""

    crf: float | None = None
    """Quality, in the encoder's own numbers: lower is better; by default 16 for h264, 18 for hevc, 20 for av1, vp9."""

    preset: str | None = None
    """Speed of the encoder, in its own words, such as veryfast for h264."""

    pixel_format: str | None = None
    """Layout of the result's samples, such as yuv420p10le; by default the input's."""

    container: str | None = None
    """Format of the results, such as mp4, mov, mkv, webm or avi; by default as OUT is named, or as the input is."""

    start: str | None = None
    """Begin at this time of the input: seconds, or 1:30.5."""

    end: str | None = None
    """End before this time of the input."""

    preview: int | None = None
    """Write a picture instead: this many frames, before on the left, after on the right."""

    deinterlace: bool = False
    """Make whole frames of interlaced ones, which are refused otherwise."""

    overwrite: bool = False
    """Restore again the videos whose result exists, and drop what an earlier run left unfinished."""

    def __post_init__(self) -> None:
        if self.crf is not None and not 0 <= self.crf <= 63:
            raise SettingsError(f"crf {self.crf:g}: accepted is 0 (best) to 63; most encoders stop at 51.")
        if self.preview is not None and self.preview < 1:
            raise SettingsError(f"preview {self.preview}: accepted is 1 frame and up.")
        start, end = self.start_s, self.end_s
        if end is not None and end <= (start or 0):
            raise SettingsError(f"end {self.end}: accepted is a time after the start, {self.start or 0}.")

    @property
    def start_s(self) -> float | None:
        """`start` in seconds. Raises SettingsError where it is no time."""
        return _seconds("start", self.start)

    @property
    def end_s(self) -> float | None:
        """`end` in seconds. Raises SettingsError where it is no time."""
        return _seconds("end", self.end)


def _seconds(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise SettingsError(f"{name} {text!r}: {_NO_TIME}")
    hours, minutes, seconds = found.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)
