"""Video files made by PyAV: every container, codec and peculiarity that a test or a benchmark names."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

_AUDIO_RATE = 48000
# Side data of frames that must not be lost.
_KEPT = ("DISPLAYMATRIX", "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")


@dataclass(frozen=True)
class Made:
    """How a file is made."""

    encoder: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    rate: Fraction = Fraction(25)
    times: tuple[int, ...] | None = None
    """Time stamps of the frames in `time_base`; None: evenly by the rate."""
    time_base: Fraction | None = None
    audio: tuple[str, ...] = ()
    """Encoders of the audio tracks."""
    subtitles: str = ""
    """Encoder of a track of subtitles."""
    rotation: int = 0
    sample_aspect: Fraction | None = None
    colour: tuple[int, int, int, int] | None = None
    """Matrix, range, primaries, transfer."""
    chapters: bool = False
    format: str | None = None


def write_video(path: Path, frames: list[NDArray[np.uint8]], made: Made = Made()) -> Path:
    """Writes (H,W,3) RGB frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    base = made.time_base or 1 / made.rate
    with av.open(str(path), "w", format=made.format) as output:
        stream = output.add_stream(made.encoder, rate=made.rate, options=made.options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = made.pixel_format
        stream.codec_context.time_base = base
        if made.sample_aspect:
            stream.codec_context.sample_aspect_ratio = made.sample_aspect
        if made.rotation:
            stream.set_display_rotation(made.rotation)
        matrix = _tag(stream.codec_context, made)
        sounds = [_sound_stream(output, name) for name in made.audio]
        texts = output.add_mux_stream(made.subtitles) if made.subtitles else None
        if made.chapters:
            half = len(frames) * 500 // int(made.rate) or 1
            output.set_chapters([_chapter(0, 0, half), _chapter(1, half, 2 * half)])
        output.metadata["title"] = "a clip"
        for number, pixels in enumerate(frames):
            frame = _frame(pixels, made, matrix)
            frame.pts = made.times[number] if made.times else number
            frame.time_base = base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        seconds = float((made.times[-1] + 1) * base) if made.times else len(frames) / made.rate
        for sound in sounds:
            _write_sound(output, sound, float(seconds))
        if texts is not None:
            _write_texts(output, texts, made.subtitles)
    return path


def _chapter(number: int, start: int, end: int) -> dict[str, object]:
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": f"part {number}"},
    }


def _tag(context: av.VideoCodecContext, made: Made) -> int:
    """Tags the colour; returns the matrix by which RGB is converted."""
    if made.colour is None:
        return 5
    if not made.pixel_format.startswith(("gbr", "rgb", "bgr")):
        context.colorspace = made.colour[0]
    context.color_range, context.color_primaries, context.color_trc = made.colour[1:]
    return {1: 1, 9: 9}.get(made.colour[0], 5)


def _frame(pixels: NDArray[np.uint8], made: Made, matrix: int) -> av.VideoFrame:
    full = made.pixel_format.startswith("yuvj") or (made.colour is not None and made.colour[1] == 2)
    rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    colour = (
        {} if made.pixel_format.startswith(("gbr", "rgb", "bgr")) else {"dst_color_range": 2 if full else 1}
    )
    frame = rgb.reformat(format=made.pixel_format, src_colorspace=matrix, dst_colorspace=matrix, **colour)
    if made.colour:
        frame.color_primaries, frame.color_trc = made.colour[2:]
    return frame


def _sound_stream(output: av.container.OutputContainer, encoder: str) -> av.AudioStream:
    stream = output.add_stream(encoder, rate=_AUDIO_RATE)
    stream.layout = "stereo"
    return stream


def _write_sound(output: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    count = stream.codec_context.frame_size or 1024
    wave = np.sin(np.arange(int(seconds * _AUDIO_RATE)) * 2 * np.pi * 440 / _AUDIO_RATE) * 8000
    for at in range(0, len(wave), count):
        part = wave[at : at + count].astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(part, 2)[None], format="s16", layout="stereo")
        frame.rate, frame.pts, frame.time_base = _AUDIO_RATE, at, Fraction(1, _AUDIO_RATE)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _write_texts(output: av.container.OutputContainer, stream: av.stream.Stream, codec: str) -> None:
    """One line of subtitles, as a packet: there is no frame to encode."""
    text = b"\x00\x05hello" if codec == "mov_text" else b"hello"
    packet = av.Packet(text)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts, packet.dts, packet.duration = 40, 40, 200
    output.mux(packet)


@dataclass(frozen=True)
class ReadBack:
    """A file as another reader sees it."""

    times: list[Fraction]
    """Seconds of each frame."""
    packets: dict[int, list[tuple[Fraction | None, bytes]]]
    """Stream -> time and bytes of each packet, of the streams beside the video."""
    kinds: list[str]
    """Kind and codec of each stream."""
    facts: dict[str, object]
    """What else the video stream and the file say."""


def read_back(path: Path) -> ReadBack:
    """Reads a file with nothing of the package."""
    with av.open(str(path)) as given:
        video = given.streams.video[0]
        times: list[Fraction] = []
        packets: dict[int, list[tuple[Fraction | None, bytes]]] = {}
        rotation, last = 0, None
        for packet in given.demux():
            if packet.stream.index != video.index:
                if packet.size:
                    at = None if packet.pts is None else packet.pts * packet.time_base
                    packets.setdefault(packet.stream.index, []).append((at, bytes(packet)))
                continue
            for frame in packet.decode():
                stamp = frame.pts if frame.pts is not None else frame.dts
                times.append(stamp * video.time_base)
                rotation, last = frame.rotation, frame
        if given.format.name == "avi":
            times.sort()  # it has only places in the order of decoding
        context = video.codec_context
        facts: dict[str, object] = {
            "size": (context.width, context.height),
            "format": context.pix_fmt,
            "rotation": rotation,
            "sample_aspect": video.sample_aspect_ratio,
            "colour": (context.colorspace, context.color_range, context.color_primaries, context.color_trc),
            "title": given.metadata.get("title", given.metadata.get("TITLE")),
            "chapters": [
                (round(float(each["start"] * each["time_base"]), 3), each["metadata"].get("title"))
                for each in given.chapters()
            ],
            "side_data": sorted(each.type.name for each in last.side_data if each.type.name in _KEPT)
            if last
            else [],
        }
        kinds = [
            f"{each.type} {each.codec_context.name if each.codec_context else '-'}" for each in given.streams
        ]
    return ReadBack(times, packets, kinds, facts)


def rgb_frames(path: Path, format: str = "rgb24") -> list[NDArray[np.uint8]]:
    """The decoded frames in one format."""
    with av.open(str(path)) as given:
        return [frame.to_ndarray(format=format) for frame in given.decode(video=0)]
