"""Picture formats: a small picture written and read again with each library."""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from gpen_fast.doctor.findings import ABSENT, BROKEN, OK, Finding, said
from gpen_fast.run.walk import PICTURES
from gpen_fast.settings import Settings

_FORMATS = {
    "JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp", "AVIF": ".avif", "JPEG2000": ".jp2",
}  # fmt: skip
# Without these nothing that people have can be restored.
_NEEDED = {"JPEG", "PNG"}
_HEIF = "pip install pillow-heif"
_SIDE = 64  # JPEG 2000 refuses smaller ones


def probe(settings: Settings) -> Iterator[Finding]:
    """Pillow, OpenCV, torchvision, nvJPEG and the HEIC plug-in."""
    picture = np.full((_SIDE, _SIDE, 3), 128, np.uint8)
    warnings.filterwarnings("ignore", module=r"torchvision\.io")  # it warns of a future without its codecs
    yield _library("Pillow", {name: partial(_pillow, picture, name) for name in _FORMATS}, needed=True)
    yield _library("OpenCV", {name: partial(_opencv, picture, suffix) for name, suffix in _FORMATS.items()})
    yield _library("torchvision", {name: partial(_torchvision, picture, name) for name in ("JPEG", "PNG")})
    yield _nvjpeg(picture, settings)
    yield _heic()


def _library(name: str, tries: dict[str, Callable[[], Any]], needed: bool = False) -> Finding:
    good: list[str] = []
    bad: list[str] = []
    for kind, attempt in tries.items():
        try:
            (good if np.shape(attempt())[:2] == (_SIDE, _SIDE) else bad).append(kind)
        except Exception:
            bad.append(kind)
    text = f"reads and writes {', '.join(good) or 'nothing'}" + (f"; not {', '.join(bad)}" if bad else "")
    complete = good and (not needed or set(good) >= _NEEDED)
    return Finding("codecs", name, OK if complete else BROKEN, text, needed=needed)


def _pillow(picture: Any, kind: str) -> Any:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    with Image.open(file) as image:
        return np.asarray(image)


def _opencv(picture: Any, suffix: str) -> Any:
    import cv2

    if not cv2.haveImageWriter(f"x{suffix}"):
        raise ValueError(suffix)
    return cv2.imdecode(cv2.imencode(suffix, picture)[1], cv2.IMREAD_COLOR)


def _torchvision(picture: Any, kind: str) -> Any:
    import torch
    from torchvision import io as tio

    chw = torch.from_numpy(picture).permute(2, 0, 1).contiguous()
    encode, decode = (
        (tio.encode_jpeg, tio.decode_jpeg) if kind == "JPEG" else (tio.encode_png, tio.decode_png)
    )
    return decode(encode(chw)).permute(1, 2, 0).numpy()


def _nvjpeg(picture: Any, settings: Settings) -> Finding:
    """JPEG on the GPU, through torchvision."""
    import torch
    from torchvision import io as tio

    from gpen_fast.device.select import pick_device

    try:
        where = pick_device(settings.device)
        if where.type != "cuda":
            return Finding("codecs", "nvJPEG", ABSENT, "needs CUDA")
        data = tio.encode_jpeg(torch.from_numpy(picture).permute(2, 0, 1).contiguous())
        shape = tuple(tio.decode_jpeg(data, device=where).shape)
    except Exception as error:
        return Finding("codecs", "nvJPEG", BROKEN, said(error))
    return Finding(
        "codecs", "nvJPEG", OK if shape == (3, _SIDE, _SIDE) else BROKEN, "decodes JPEG on the GPU"
    )


def _heic() -> Finding:
    if importlib.util.find_spec("pillow_heif") is None:
        return Finding(
            "codecs", "HEIC", ABSENT, "no plug-in for Pillow", mend=_HEIF if "heic" in PICTURES else ""
        )
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except Exception as error:
        return Finding(
            "codecs", "HEIC", BROKEN, said(error), mend=_HEIF.replace("install", "install --force-reinstall")
        )
    return Finding("codecs", "HEIC", OK, f"pillow-heif {pillow_heif.__version__}")
