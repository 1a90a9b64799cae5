"""How `video` reads and writes: its options. Imports no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from gpen_fast.errors import SettingsError, did_you_mean

# Seconds, or minutes or hours before them: 90.5, 1:30.5, 0:01:30.5.
_TIME = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?)")
# Frames per second: 24, 23.976 or 24000/1001.
_RATE = re.compile(r"\d+(?:\.\d+)?|\d+/[1-9]\d*")
# Rates of film and television that users round: 23.976 is 24000/1001.
_ROUNDED = {Fraction(each, 1000): Fraction(full, 1001) for each, full in (
    (23976, 24000), (23980, 24000), (29970, 30000), (47952, 48000), (59940, 60000), (119880, 120000))}  # fmt: skip
_MOST_RATE = 1000
# Of pictures that become pictures, where it is not given: times matter little there.
_FILM_RATE = Fraction(24)
_NO_TIME = "accepted are seconds, such as 90.5, or 1:30.5, or 0:01:30.5."


Hwaccel = Literal["none", "auto", "cuda", "vaapi", "videotoolbox", "d3d11va"]

HWACCELS: tuple[Hwaccel, ...] = get_args(Hwaccel)


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

    fps: str | None = None
    """Frames per second of numbered pictures, such as 24, 23.976 or 30000/1001; videos have a rate of their own."""

    frames: bool = False
    """Write numbered pictures into the folder OUT, or by a pattern such as out/shot_%05d.tif, instead of a video."""

    hwaccel: Hwaccel = "none"
    """What decodes: auto (the first device that there is), cuda, vaapi, videotoolbox, d3d11va, or none, the host."""

    deinterlace: bool = False
    """Make whole frames of interlaced ones, which are refused otherwise."""

    temporal: float = 0.5
    """How much of the frames before a restored face keeps, so that it does not flicker: 0 restores each frame alone."""

    detect_every: int = 5
    """Frames from one detection to the next; faces are followed in between, and detected where that is unsure."""

    overwrite: bool = False
    """Restore again the videos whose result exists, and drop what an earlier run left unfinished."""

    def __post_init__(self) -> None:
        if self.crf is not None and not 0 <= self.crf <= 63:
            raise SettingsError(f"crf {self.crf:g}: accepted is 0 (best) to 63; most encoders stop at 51.")
        if self.preview is not None and self.preview < 1:
            raise SettingsError(f"preview {self.preview}: accepted is 1 frame and up.")
        if not 0.0 <= self.temporal <= 1.0:
            raise SettingsError(f"temporal {self.temporal:g}: accepted is 0 (each frame alone) to 1.")
        if self.hwaccel not in HWACCELS:
            near = did_you_mean(self.hwaccel, HWACCELS)
            raise SettingsError(f"hwaccel {self.hwaccel!r}: accepted are {', '.join(HWACCELS)}.{near}")
        if self.hwaccel != "none" and self.deinterlace:
            raise SettingsError("--hwaccel and --deinterlace do not work together: leave one out.")
        if self.detect_every < 1:
            raise SettingsError(f"detect every {self.detect_every}: accepted is 1 frame and up.")
        _ = self.rate
        start, end = self.start_s, self.end_s
        if end is not None and end <= (start or 0):
            raise SettingsError(f"end {self.end}: accepted is a time after the start, {self.start or 0}.")

    @property
    def rate(self) -> Fraction | None:
        """`fps` as a number. Raises SettingsError where it is no rate."""
        if self.fps is None:
            return None
        text = self.fps.strip()
        rate = Fraction(text) if _RATE.fullmatch(text) else Fraction(0)
        if not 0 < rate <= _MOST_RATE:
            raise SettingsError(
                f"fps {self.fps!r}: accepted are frames per second above 0 and up to {_MOST_RATE}, such as 24, 23.976 "
                "or 30000/1001."
            )
        return _ROUNDED.get(rate, rate)

    @property
    def rate_or_film(self) -> Fraction:
        """`rate`, or 24 where it is not given."""
        return self.rate or _FILM_RATE

    @property
    def start_s(self) -> Fraction | None:
        """`start` in seconds. Raises SettingsError where it is no time."""
        return _seconds("start", self.start)

    @property
    def end_s(self) -> Fraction | None:
        """`end` in seconds. Raises SettingsError where it is no time."""
        return _seconds("end", self.end)


def _seconds(name: str, text: str | None) -> Fraction | None:
    """Exact, as the times of frames are: a frame at 0.08 s begins before no end of 0.08 s."""
    if text is None:
        return None
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise SettingsError(f"{name} {text!r}: {_NO_TIME}")
    hours, minutes, seconds = found.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds)
