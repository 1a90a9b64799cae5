"""Load: a file, array, tensor or PIL image as an upright Frame.

Pillow reads everything of 8 bits and all metadata. It cuts 16-bit colour down to 8, so OpenCV decodes those.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from gpen_fast.device import upload
from gpen_fast.errors import PictureError
from gpen_fast.types import Frame

Pixels = NDArray[Any]

_ORIENTATION = 0x0112
_BITS_PER_SAMPLE = 258
# A TIFF's own directory also says where its pixels lie, which is wrong in any other file. What describes the
# picture: description, make, model, resolution, software, date, artist, copyright, EXIF and GPS.
_DESCRIPTIVE_TAGS = frozenset({270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432, 34665, 34853})
_PNG_DEPTH_BYTE = 24


def load(source: Path | Pixels | Tensor | Image.Image, device: torch.device) -> Frame:
    """`source` as a Frame on `device`, upright, metadata carried along.

    source: a path; RGB(A) or grey uint8 or uint16 as an (H,W), (H,W,1|3|4) array or (1|3|4,H,W) tensor; a
    PIL image. Raises PictureError for what is none of these or cannot be decoded, OSError for unreadable files.
    """
    if isinstance(source, Path):
        return _upload(_decode(source), device)
    if isinstance(source, Image.Image):
        return _upload(_from_pil(source), device)
    if isinstance(source, Tensor):
        return _upload(_from_tensor(source), device)
    return _upload(_from_array(source), device)


def _upload(frame: Frame, device: torch.device) -> Frame:
    if device.type == "cpu":
        return frame
    return replace(
        frame,
        pixels=upload(frame.pixels, device),
        alpha=None if frame.alpha is None else upload(frame.alpha, device),
        host=frame.pixels,
    )


def _decode(path: Path) -> Frame:
    data = path.read_bytes()
    if not data:
        raise PictureError("the file is empty.")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if _is_deep(image, data):
                # OpenCV turns a TIFF upright itself, a PNG not.
                return _described(image, _decode_deep(data), upright=image.format == "TIFF")
            return _from_pil(image)
    except (PictureError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise PictureError("no picture that can be read: its content is of no known format.") from None
    except Image.DecompressionBombError as cause:
        raise PictureError(f"declares too many pixels to be decoded safely ({cause}).") from cause
    except Exception as cause:  # decoders fail on damaged files in many ways
        raise PictureError(f"damaged: {str(cause).rstrip('.') or type(cause).__name__}.") from cause


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether the file holds 16 bits per sample."""
    if image.format == "PNG":
        return data[_PNG_DEPTH_BYTE] == 16
    if image.format == "TIFF":
        return 16 in np.atleast_1d(image.tag_v2.get(_BITS_PER_SAMPLE, 8))  # type: ignore[attr-defined]
    return False


def _decode_deep(data: bytes) -> Pixels:
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise PictureError("damaged: a 16-bit picture that cannot be decoded.")
    if array.ndim == 3:
        order = cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        array = cv2.cvtColor(array, order)
    return array


def _from_pil(image: Image.Image) -> Frame:
    """A PIL image of any mode; palettes, CMYK and one-bit pictures become grey or RGB."""
    if image.mode[0] in "FI" and not image.mode.startswith("I;16"):
        raise PictureError("holds 32-bit samples: accepted are 8 and 16 bits. Convert it first.")
    if image.mode.startswith("I;16"):
        return _described(image, np.asarray(image).astype(np.uint16))
    has_alpha = image.has_transparency_data
    colour = "L" if image.mode in {"1", "L", "LA"} else "RGB"
    return _described(image, np.asarray(image.convert(colour + "A" * has_alpha)))


def _described(image: Image.Image, array: Pixels, *, upright: bool = False) -> Frame:
    """Pixels turned upright unless they are, with what the file says about them."""
    exif, orientation = _exif_of(image)
    icc = image.info.get("icc_profile") if image.mode != "CMYK" else None
    frame = _from_array(array if upright else _upright(array, orientation))
    return replace(frame, exif=exif, icc=icc or None, kind=image.format or "", note=_note(image))


def _note(image: Image.Image) -> str:
    """What of the file is not in the frame. MPO is JPEG with a preview behind it."""
    count = getattr(image, "n_frames", 1)
    return f"the first of its {count} pages or frames only." if count > 1 and image.format != "MPO" else ""


def _exif_of(image: Image.Image) -> tuple[bytes | None, int]:
    """The EXIF bytes with their orientation reset, and the orientation that was there."""
    orientation = 1
    with contextlib.suppress(Exception):  # broken EXIF is common and no reason to lose the picture
        exif = image.getexif()
        if image.format == "TIFF":
            for tag in set(exif) - _DESCRIPTIVE_TAGS:
                del exif[tag]
        if exif:
            orientation = int(exif.get(_ORIENTATION, 1))
            exif[_ORIENTATION] = 1
            return exif.tobytes(), orientation
    return None, orientation


def _upright(array: Pixels, orientation: int) -> Pixels:
    """Applies one of the eight EXIF orientations (CIPA DC-008, tag 0x0112)."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def _from_array(array: Pixels) -> Frame:
    if not isinstance(array, np.ndarray):
        raise PictureError(
            f"a {type(array).__name__} is no picture: accepted are a path, a numpy array, a tensor, a PIL image."
        )
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or array.dtype not in (np.uint8, np.uint16):
        raise PictureError(
            f"an array of shape {array.shape}, {array.dtype}: accepted is (H,W) or (H,W,1|3|4), RGB, uint8 or uint16."
            + (" Try (array * 255).astype(numpy.uint8)." if array.dtype.kind == "f" else "")
        )
    # A copy: the caller's array may be read-only (PIL's is) or change while the picture waits.
    return _from_chw(torch.from_numpy(np.array(array, order="C")).permute(2, 0, 1))


def _from_tensor(tensor: Tensor) -> Frame:
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3, 4):
        raise PictureError(
            f"a tensor of shape {tuple(tensor.shape)}: accepted is (1|3|4,H,W), RGB, uint8 or uint16."
        )
    # A copy in host memory, as of arrays: the caller may use the tensor's memory again.
    return _from_chw(tensor.detach().cpu().clone())


def _from_chw(pixels: Tensor) -> Frame:
    """Splits alpha off, and drops two of three equal channels."""
    alpha = pixels[-1:] if pixels.shape[0] in (2, 4) else None
    colour = pixels if alpha is None else pixels[:-1]
    channels = colour.shape[0]
    if channels == 3 and _is_grey(colour):
        colour = colour[:1]
    # Each part dense on its own, in the decoder's order, so that it is copied as it lies.
    return Frame(_dense(colour), None if alpha is None else _dense(alpha), channels)


def _dense(pixels: Tensor) -> Tensor:
    return pixels.permute(1, 2, 0).contiguous().permute(2, 0, 1)


def _is_grey(pixels: Tensor) -> bool:
    """Whether the three channels are equal everywhere; a sparse look settles most colour pictures."""
    for step in (31, 1):
        red, green, blue = pixels[:, ::step, ::step]
        if not (torch.equal(red, green) and torch.equal(red, blue)):
            return False
    return True
