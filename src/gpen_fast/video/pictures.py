"""Pictures as frames of a video, and frames as pictures."""

from __future__ import annotations

import av
import numpy as np
import torch
from av.codec.codec import UnknownCodecError
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from gpen_fast.errors import VideoError
from gpen_fast.image.convert import to_array
from gpen_fast.types import Frame, MetadataBlock
from gpen_fast.video.codecs import ENCODERS, is_lossless
from gpen_fast.video.colour import EXACT, HD_LINES, converted, frame_matrix, is_full_range, to_rgb
from gpen_fast.video.facts import ColourTags

# Numbers of ITU-T H.273: BT.709, BT.601 with 525 lines, and the transfer of sRGB.
_BT709, _BT601, _SRGB, _UNTAGGED = 1, 6, 13, 2
_PQ, _HLG, _BT2020 = 16, 18, 9
_LIMITED = 1


def picture_layout(codec: str | None, size: tuple[int, int], *, deep: bool, alpha: bool) -> str:
    """The layout of samples in which pictures are encoded, if the user names none.

    Args:
        codec: FFmpeg's name of the codec or encoder; None: h264.
        size: Width and height.
        deep: The pictures have 16 bits.
        alpha: They have alpha.
    """
    name = codec or "h264"
    if is_lossless(name):
        return {(False, False): "gbrp", (False, True): "gbrap", (True, False): "gbrp16le",
                (True, True): "gbrap16le"}[deep, alpha]  # fmt: skip
    wanted = ["yuva444p10le"] if alpha else []
    for bits in ("10le", "") if deep else ("", "10le"):
        wanted += [f"{chroma}{bits}" for chroma in (_usual_chroma(size), "yuv422p", "yuv444p", "yuvj444p")]
    accepted = _accepted(ENCODERS[name].name if name in ENCODERS else name)
    return next((layout for layout in wanted if layout in accepted), wanted[-4])


def picture_tags(layout: str, height: int) -> ColourTags:
    """How a video of pictures says that its colour is meant: sRGB, under the matrix that `converted` uses.

    Args:
        layout: The encoded layout of samples.
        height: Lines.
    """
    if av.VideoFormat(layout).is_rgb:
        return ColourTags(_UNTAGGED, 0, _BT709, _SRGB)
    full = layout.startswith("yuvj")
    return ColourTags(_BT709 if height >= HD_LINES else _BT601, 2 if full else _LIMITED, _BT709, _SRGB)


def picture_as_frame(picture: Frame, layout: str) -> av.VideoFrame:
    """A picture as a frame of a video.

    Args:
        picture: Of 8 or 16 bits, grey or RGB, with or without alpha.
        layout: The layout of samples that the encoder is given.
    """
    array = to_array(Frame(picture.pixels, picture.alpha))
    deep = array.dtype == np.uint16
    kind = {(3, False): "rgb24", (3, True): "rgb48le", (4, False): "rgba", (4, True): "rgba64le"}
    layout_of_array = kind[array.shape[2], deep]
    frame = av.VideoFrame.from_ndarray(array, format=layout_of_array)  # type: ignore[arg-type]  # 8 or 16 bits
    return converted(frame, layout)


def frame_as_picture(frame: av.VideoFrame, rotation: int) -> Frame:
    """A frame of a video as a picture: of 16 bits where it has more than 8, with its alpha, upright.

    Args:
        frame: The frame.
        rotation: Degrees counter-clockwise by which players turn it.
    """
    parts = frame.format.components
    deep, alpha = max(part.bits for part in parts) > 8, any(part.is_alpha for part in parts)
    if not deep and not alpha:
        array: NDArray[np.uint8 | np.uint16] = to_rgb(frame)
    else:
        array = _as_rgb(frame, ("rgba64le" if deep else "rgba") if alpha else "rgb48le")
    pixels = torch.from_numpy(np.rot90(array, rotation // 90).transpose(2, 0, 1).copy())
    return Frame(pixels[:3], pixels[3:] if alpha else None, blocks=_colour_blocks(frame))


def _as_rgb(frame: av.VideoFrame, layout: str) -> NDArray[np.uint8 | np.uint16]:
    matrix = frame_matrix(frame)
    made = frame.reformat(
        format=layout,
        src_colorspace=matrix.colorspace,
        dst_colorspace=matrix.colorspace,
        src_color_range=ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=EXACT,
        threads=1,
    )
    return np.asarray(made.to_ndarray())


def _colour_blocks(frame: av.VideoFrame) -> tuple[MetadataBlock, ...]:
    """What PNG says of wide colour and HDR (cICP): other pictures are taken for sRGB."""
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    if primaries != _BT2020 and transfer not in (_PQ, _HLG):
        return ()
    return (MetadataBlock("png", "cICP", bytes((primaries, transfer, 0, 1))),)


def _usual_chroma(size: tuple[int, int]) -> str:
    """Chroma at half the resolution, where the sides allow it."""
    if size[0] % 2:
        return "yuv444p"
    return "yuv422p" if size[1] % 2 else "yuv420p"


def _accepted(encoder: str) -> list[str]:
    try:
        return [each.name for each in av.Codec(encoder, "w").video_formats or []]
    except UnknownCodecError as error:
        raise VideoError(
            f"codec {encoder}: this build of FFmpeg lacks it. Choose another --codec."
        ) from error
