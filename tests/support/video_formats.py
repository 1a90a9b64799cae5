"""The containers, codecs and peculiarities that `gpen-fast video` is tried on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from clips import clip_pixels
from videos import Made, write_video

_AAC = ("aac",)
# Time stamps of a variable rate, milliseconds: pauses of 20 to 100.
_UNEVEN = tuple(itertools.accumulate([0, *(20 + 17 * at % 81 for at in range(200))]))


@dataclass(frozen=True)
class FormatCase:
    """One kind of file."""

    name: str
    suffix: str
    made: Made
    size: tuple[int, int] | None = None
    """Width and height, where it is not the clip's own."""
    first: int = 0
    """The first frame's number: above 0, the file begins later than zero, and mp4 has an edit list."""


_FAST_VP9 = {"cpu-used": "8", "deadline": "realtime"}
_X264 = Made("libx264", options={"crf": "20", "preset": "veryfast"}, audio=_AAC)
FORMATS = (
    FormatCase("mp4 h264 aac", ".mp4", _X264),
    FormatCase("mp4 h264 no audio", ".mp4", replace(_X264, audio=())),
    FormatCase("mp4 h264 B-frames", ".mp4", replace(_X264, options={"bf": "3", "b-pyramid": "normal", "crf": "20"})),
    FormatCase("mp4 h264 edit list", ".mp4", _X264, first=13),
    FormatCase(
        "mp4 h264 variable rate", ".mp4", replace(_X264, times=_UNEVEN, time_base=Fraction(1, 1000), rate=Fraction(20))
    ),
    FormatCase("mp4 h264 rotation", ".mp4", replace(_X264, rotation=90)),
    FormatCase("mp4 h264 29.97 BT.709", ".mp4", replace(_X264, rate=Fraction(30000, 1001), colour=(1, 1, 1, 1))),
    FormatCase("mp4 h264 SAR 4:3", ".mp4", replace(_X264, sample_aspect=Fraction(4, 3))),
    FormatCase("mp4 hevc 10 bit HDR", ".mp4", replace(_X264, encoder="libx265", pixel_format="yuv420p10le",
        options={"x265-params": "log-level=error:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)"
                 "WP(15635,16450)L(10000000,1):max-cll=1000,400", "preset": "ultrafast"}, colour=(9, 1, 9, 16))),
    FormatCase("mp4 av1", ".mp4", replace(_X264, encoder="libsvtav1", options={"preset": "12"})),
    FormatCase("mp4 mpeg4", ".mp4", replace(_X264, encoder="mpeg4", options={"q": "3"})),
    FormatCase("mp4 h264 chapters, subtitles", ".mp4", replace(_X264, chapters=True, subtitles="mov_text")),
    FormatCase("mov prores pcm", ".mov", Made("prores_ks", "yuv422p10le", audio=("pcm_s16le",))),
    FormatCase("mov mjpeg", ".mov", Made("mjpeg", "yuvj420p", options={"q": "2"}, audio=("pcm_s16le",))),
    FormatCase("mkv h264 two audio, subtitles, chapters", ".mkv",
               replace(_X264, audio=("aac", "flac"), subtitles="subrip", chapters=True)),
    FormatCase("mkv ffv1 10 bit", ".mkv", Made("ffv1", "yuv422p10le", options={"level": "3"}, audio=("flac",))),
    FormatCase("mkv ffv1 odd size", ".mkv", Made("ffv1", "yuv420p", audio=("flac",)), size=(321, 181)),
    FormatCase("mkv ffv1 RGB", ".mkv", Made("ffv1", "bgr0")),
    FormatCase("mkv hevc variable rate", ".mkv", replace(_X264, encoder="libx265", times=_UNEVEN,
        time_base=Fraction(1, 1000), options={"x265-params": "log-level=error", "preset": "ultrafast"})),
    FormatCase("webm vp9 opus", ".webm", Made("libvpx-vp9", options=_FAST_VP9, audio=("libopus",))),
    FormatCase("webm vp9 odd size", ".webm", Made("libvpx-vp9", options=_FAST_VP9), size=(321, 181)),
    FormatCase("webm av1", ".webm", Made("libsvtav1", options={"preset": "12"}, audio=("libopus",))),
    FormatCase("avi mjpeg pcm", ".avi", Made("mjpeg", "yuvj422p", options={"q": "2"}, audio=("pcm_s16le",))),
    FormatCase("avi mpeg4 mp3", ".avi", Made("mpeg4", options={"q": "3"}, audio=("libmp3lame",))),
    FormatCase("avi ffv1", ".avi", Made("ffv1", "yuv420p")),
    FormatCase("avi h264 B-frames", ".avi", replace(_X264, options={"bf": "2"}, audio=("libmp3lame",))),
    FormatCase("mpegts h264", ".ts", replace(_X264, audio=("mp2",), format="mpegts")),
    FormatCase("mkv grey", ".mkv", Made("ffv1", "gray")),
    FormatCase("mp4 h264 odd size 4:4:4", ".mp4", replace(_X264, pixel_format="yuv444p"), size=(321, 181)),
    FormatCase("flv h264", ".flv", _X264),
)  # fmt: skip


def make(case: FormatCase, folder: Path, count: int = 30, height: int = 180) -> Path | None:
    """Writes a file of the case; None where this build of FFmpeg lacks its encoder."""
    frames = clip_pixels("pan", count, height, noise=3.0)
    if case.size:
        frames = [frame[: case.size[1], : case.size[0]] for frame in clip_pixels("pan", count, height + 8)]
    made = case.made
    if made.times:
        made = replace(made, times=made.times[:count])
    if case.first:
        made = replace(made, times=tuple(range(case.first, case.first + count)))
    path = folder / (case.name.replace(" ", "-").replace(":", "") + case.suffix)
    try:
        return write_video(path, frames, made)
    except av.codec.codec.UnknownCodecError:
        return None
