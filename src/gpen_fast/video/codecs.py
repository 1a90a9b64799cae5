"""Which encoder writes a stream, with which options: the input's own codec where it can be encoded here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import av
from av.codec.codec import PixFmtLoss, UnknownCodecError, find_best_pix_fmt_of_list

from gpen_fast.errors import VideoError, did_you_mean
from gpen_fast.video.planes import planar_name


@dataclass(frozen=True)
class EncoderFacts:
    """How one of FFmpeg's encoders is told what is wanted."""

    name: str
    """FFmpeg's name of the encoder."""
    quality: str = ""
    """The option that --crf sets; empty where the encoder has none."""
    default: float | None = None
    """Its value without --crf: close to what the eye tells from the input."""
    preset: str = ""
    """The option that --preset sets; empty where the encoder has none."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further options."""
    even: bool = False
    """Refuses sides that the chroma's subsampling does not divide."""


# Codec, as FFmpeg names it and as --codec takes it -> its encoder.
ENCODERS: Mapping[str, EncoderFacts] = {
    "h264": EncoderFacts("libx264", "crf", 16, "preset", even=True),
    "hevc": EncoderFacts(
        "libx265", "crf", 18, "preset", {"x265-params": "log-level=error:open-gop=0"}, even=True
    ),
    "vp9": EncoderFacts(
        "libvpx-vp9", "crf", 20, "cpu-used", {"b": "0", "row-mt": "1", "cpu-used": "3", "deadline": "good"}
    ),
    "vp8": EncoderFacts("libvpx", "crf", 8, "cpu-used", {"b": "20M", "cpu-used": "2", "deadline": "good"}),
    "av1": EncoderFacts("libsvtav1", "crf", 20, "preset", {"preset": "7"}, even=True),
    "prores": EncoderFacts("prores_ks", options={"vendor": "apl0"}),
    "mjpeg": EncoderFacts("mjpeg", "q", 2),
    "mpeg4": EncoderFacts("mpeg4", "q", 2),
    "mpeg2video": EncoderFacts("mpeg2video", "q", 2),
    "ffv1": EncoderFacts("ffv1", options={"level": "3", "slicecrc": "1", "g": "1"}),
    "huffyuv": EncoderFacts("huffyuv"),
    "ffvhuff": EncoderFacts("ffvhuff"),
    "utvideo": EncoderFacts("utvideo"),
    "png": EncoderFacts("png"),
    "qtrle": EncoderFacts("qtrle"),
    "v210": EncoderFacts("v210"),
}
# Encoders of graphics cards and processors, by FFmpeg's names, which --codec takes -> the codec, and how they are told.
# Their quality is on the encoder's own scale; not measured here.
_NVENC, _AMF = {"rc": "vbr", "b": "0"}, {"rc": "qvbr"}
HARDWARE: Mapping[str, tuple[str, EncoderFacts]] = {
    "h264_nvenc": ("h264", EncoderFacts("h264_nvenc", "cq", 19, "preset", _NVENC, even=True)),
    "hevc_nvenc": ("hevc", EncoderFacts("hevc_nvenc", "cq", 21, "preset", _NVENC, even=True)),
    "av1_nvenc": ("av1", EncoderFacts("av1_nvenc", "cq", 24, "preset", _NVENC, even=True)),
    "h264_qsv": ("h264", EncoderFacts("h264_qsv", "global_quality", 19, "preset", even=True)),
    "hevc_qsv": ("hevc", EncoderFacts("hevc_qsv", "global_quality", 21, "preset", even=True)),
    "h264_amf": ("h264", EncoderFacts("h264_amf", "qvbr_quality_level", 19, "quality", _AMF, even=True)),
    "hevc_amf": ("hevc", EncoderFacts("hevc_amf", "qvbr_quality_level", 21, "quality", _AMF, even=True)),
    # Their scale runs the other way: see `_percent`.
    "h264_videotoolbox": ("h264", EncoderFacts("h264_videotoolbox", "percent", 16, even=True)),
    "hevc_videotoolbox": ("hevc", EncoderFacts("hevc_videotoolbox", "percent", 18, even=True)),
}
# Profiles of ProRes by the names that FFmpeg reports -> option of its encoder.
_PRORES = {"Apple ProRes 422 Proxy": "proxy", "Proxy": "proxy", "LT": "lt", "Standard": "standard", "HQ": "hq",
           "4444": "4444", "XQ": "4444xq"}  # fmt: skip
# Codecs that lose nothing: where such a one cannot be encoded, another of them takes its place.
_LOSSLESS = frozenset(
    {"rawvideo", "ffv1", "huffyuv", "ffvhuff", "utvideo", "png", "qtrle", "v210", "magicyuv", "gif", "apng"}
)
# Losses of a format that change samples; a repacked copy loses none of these.
_LOSSES = (
    PixFmtLoss.RESOLUTION | PixFmtLoss.DEPTH | PixFmtLoss.COLORSPACE | PixFmtLoss.CHROMA | PixFmtLoss.ALPHA
)


@dataclass(frozen=True)
class Encoding:
    """How a stream is to be encoded."""

    codec: str
    """FFmpeg's name of the codec."""
    encoder: str
    """Its encoder."""
    pixel_format: str
    """Layout of the samples that it is given."""
    options: dict[str, str]
    """The encoder's own options."""
    quantiser: float | None = None
    """A fixed quantiser, for encoders that take one; None for the others."""


@dataclass(frozen=True)
class EncodingWish:
    """What the user asked for."""

    codec: str | None = None
    """FFmpeg's name of a codec or an encoder; None: the input's."""
    crf: float | None = None
    """Quality; None: the codec's default."""
    preset: str | None = None
    """Speed of the encoder, in its own words."""
    pixel_format: str | None = None
    """Layout of the samples; None: the input's."""


def choose_encoding(
    wish: EncodingWish, codec: str, pixel_format: str, profile: str, size: tuple[int, int], container: str
) -> Encoding:
    """How a stream is encoded.

    Args:
        wish: What the user asked for.
        codec: The input's codec.
        pixel_format: The input's layout of samples.
        profile: The input's profile.
        size: Width and height.
        container: FFmpeg's name of the output's format.

    Raises:
        VideoError: What was asked for does not exist here, or does not fit together.
    """
    if wish.codec:
        return _asked(wish, wish.codec, pixel_format, profile, size, container)
    others = ("ffv1",) if codec in _LOSSLESS else ("h264", "av1")
    refused = []
    for name in dict.fromkeys([codec, *others]):
        try:
            return _asked(wish, name, pixel_format, profile, size, container)
        except VideoError as error:
            refused.append(error)
    raise refused[0 if codec in ENCODERS else 1]


def is_lossless(codec: str) -> bool:
    """Whether a codec, by its name or its encoder's, keeps every sample."""
    return codec in _LOSSLESS or any(ENCODERS[each].name == codec for each in _LOSSLESS & ENCODERS.keys())


def _asked(
    wish: EncodingWish, codec: str, pixel_format: str, profile: str, size: tuple[int, int], container: str
) -> Encoding:
    codec, facts = _encoder(codec)
    _check_container(container, codec, facts.name)
    layout = _layout(facts, wish.pixel_format or planar_name(pixel_format), strict=not wish.pixel_format)
    _check_even(facts, codec, layout, size)
    options, quantiser = dict(facts.options), None
    if facts.quality:
        value = facts.default if wish.crf is None else wish.crf
        if facts.quality == "q":
            quantiser = value
        elif facts.quality == "percent":
            quantiser = _percent(value or 0)
        else:
            options[facts.quality] = f"{value:g}"
    elif wish.crf is not None:
        raise VideoError(
            f"--crf {wish.crf:g}: {codec} has no such quality. Leave it out, or choose another --codec."
        )
    if wish.preset:
        if not facts.preset:
            raise VideoError(
                f"--preset {wish.preset}: {codec} has none. Leave it out, or choose another --codec."
            )
        options[facts.preset] = wish.preset
    if codec == "prores":
        options["profile"] = _prores_profile(profile, layout)
    if container == "avi" and codec in ("h264", "hevc", "mpeg4"):
        options["bf"] = "0"  # AVI has no time stamps by which frames could be reordered
    return Encoding(codec, facts.name, layout, options, quantiser)


def _encoder(codec: str) -> tuple[str, EncoderFacts]:
    if codec in HARDWARE:
        return HARDWARE[codec][0], _here(codec, HARDWARE[codec][1])
    by_encoder = {facts.name: name for name, facts in ENCODERS.items()}
    codec = by_encoder.get(codec, codec)
    facts = ENCODERS.get(codec)
    if facts is None:
        near = did_you_mean(codec, [*ENCODERS, *HARDWARE])
        raise VideoError(
            f"codec {codec}: it is not encoded here. Accepted are {', '.join(ENCODERS)}; on hardware "
            f"{', '.join(HARDWARE)}.{near}"
        )
    return codec, _here(codec, facts)


def _here(codec: str, facts: EncoderFacts) -> EncoderFacts:
    """The encoder, if this build of FFmpeg has it."""
    try:
        av.Codec(facts.name, "w")
    except UnknownCodecError:
        raise VideoError(
            f"codec {codec}: this build of FFmpeg lacks its encoder {facts.name}. Choose another --codec."
        ) from None
    return facts


def _percent(crf: float) -> float:
    """Quality in percent, higher is better, of a value of crf, where 51 is the worst."""
    return min(100.0, max(1.0, 100 - 2 * crf))


def _layout(facts: EncoderFacts, wanted: str, *, strict: bool) -> str:
    """The encoder's layout that holds what `wanted` holds."""
    accepted = [each.name for each in av.Codec(facts.name, "w").video_formats or []]
    if not accepted or wanted in accepted:
        return wanted
    if not strict:
        raise VideoError(
            f"--pixel-format {wanted}: {facts.name} does not take it. Accepted are {', '.join(accepted)}."
        )
    # Values that no layout loses: the first of those that the encoder takes, by FFmpeg's own order.
    best, loss = find_best_pix_fmt_of_list(accepted, wanted, has_alpha=av.VideoFormat(wanted).has_palette)
    if best is None or loss & _LOSSES or _bits(best.name) < _bits(wanted):
        raise VideoError(
            f"{facts.name} takes no samples of the input's format, {wanted}. Name one that it takes by --pixel-format: "
            f"{', '.join(accepted)}."
        )
    return str(best.name)


def _bits(layout: str) -> int:
    return max(part.bits for part in av.VideoFormat(layout).components)


def _check_even(facts: EncoderFacts, codec: str, layout: str, size: tuple[int, int]) -> None:
    format = av.VideoFormat(layout)
    across, down = 64 // format.chroma_width(64), 64 // format.chroma_height(64)
    if facts.even and (size[0] % across or size[1] % down):
        raise VideoError(
            f"{codec} ({facts.name}) refuses {size[0]}x{size[1]} in {layout}: the sides must be multiples of "
            f"{across} and {down}. Try --codec ffv1, or --pixel-format yuv444p."
        )


def _check_container(container: str, codec: str, encoder: str) -> None:
    try:
        output = av.open(_Nowhere(), "w", format=container)
    except (ValueError, av.error.FFmpegError) as error:
        raise VideoError(
            f"container {container}: this build of FFmpeg does not write it. Try mp4, mov, mkv, webm or avi."
        ) from error
    try:
        output.add_stream(encoder)
    except ValueError as error:
        raise VideoError(
            f"{container} cannot hold {codec}: name OUT with another suffix, or choose another --codec."
        ) from error


class _Nowhere:
    """A file that keeps nothing: opening a container's writer needs one."""

    def write(self, data: bytes) -> int:
        """Takes bytes."""
        return len(data)


def _prores_profile(profile: str, layout: str) -> str:
    if layout.startswith(("yuv444", "yuva444")):
        return "4444xq" if profile == "XQ" else "4444"
    return _PRORES.get(profile, "hq")


def codec_names() -> Iterable[str]:
    """What --codec takes."""
    return ENCODERS
