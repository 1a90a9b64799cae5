"""Picture formats: each library writes a small picture and reads it again."""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gpen_fast.doctor.findings import ABSENT, BROKEN, OK, Finding
from gpen_fast.errors import summary
from gpen_fast.run.walk import PICTURES

# Names as Pillow takes them, and the suffixes by which OpenCV knows them.
_FORMATS = {
    "JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp", "AVIF": ".avif", "JPEG2000": ".jp2",
}  # fmt: skip
# Pictures cannot be restored without these: most inputs are JPEG, and the default output is PNG.
_NEEDED = {"JPEG", "PNG"}
_HEIF = "pip install pillow-heif"
# Pixels. JPEG 2000 encoders refuse smaller pictures.
_SIDE = 64
# (64,64,3) RGB uint8.
_Picture = NDArray[np.uint8]


def probe(device: str) -> Iterator[Finding]:
    """Tries Pillow, OpenCV, torchvision, nvJPEG and the HEIC plug-in.

    Args:
        device: The device whose nvJPEG is tried, as `--device` takes it.
    """
    picture = np.full((_SIDE, _SIDE, 3), 128, np.uint8)
    warnings.filterwarnings(
        "ignore", module=r"torchvision\.io"
    )  # it announces that its codecs will be removed
    yield _library("Pillow", {name: partial(_pillow, picture, name) for name in _FORMATS}, needed=True)
    yield _library("OpenCV", {name: partial(_opencv, picture, suffix) for name, suffix in _FORMATS.items()})
    yield _library("torchvision", {name: partial(_torchvision, picture, name) for name in ("JPEG", "PNG")})
    yield _nvjpeg(picture, device)
    yield _heic()


def _library(name: str, attempts: dict[str, Callable[[], _Picture]], needed: bool = False) -> Finding:
    good: list[str] = []
    bad: list[str] = []
    for kind, attempt in attempts.items():
        try:
            (good if np.shape(attempt())[:2] == (_SIDE, _SIDE) else bad).append(kind)
        except Exception:  # each library reports a missing codec in its own way
            bad.append(kind)
    text = f"reads and writes {', '.join(good) or 'nothing'}" + (f"; not {', '.join(bad)}" if bad else "")
    complete = good and (not needed or set(good) >= _NEEDED)
    return Finding("codecs", name, OK if complete else BROKEN, text, needed=needed)


def _pillow(picture: _Picture, kind: str) -> _Picture:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    with Image.open(file) as image:
        return np.asarray(image)


def _opencv(picture: _Picture, suffix: str) -> _Picture:
    import cv2

    if not cv2.haveImageWriter(f"x{suffix}"):
        raise ValueError(suffix)
    decoded = cv2.imdecode(cv2.imencode(suffix, picture)[1], cv2.IMREAD_COLOR)
    return np.asarray(decoded, dtype=np.uint8)


def _torchvision(picture: _Picture, kind: str) -> _Picture:
    import torch
    from torchvision import io as tio

    chw = torch.from_numpy(picture).permute(2, 0, 1).contiguous()
    encode, decode = (
        (tio.encode_jpeg, tio.decode_jpeg) if kind == "JPEG" else (tio.encode_png, tio.decode_png)
    )
    return np.asarray(decode(encode(chw)).permute(1, 2, 0).numpy())


def _nvjpeg(picture: _Picture, device: str) -> Finding:
    """JPEG decoded on the GPU, through torchvision."""
    import torch
    from torchvision import io as tio

    from gpen_fast.device.select import pick_device

    try:
        where = pick_device(device)
        if where.type != "cuda":
            return Finding("codecs", "nvJPEG", ABSENT, "needs CUDA")
        data = tio.encode_jpeg(torch.from_numpy(picture).permute(2, 0, 1).contiguous())
        shape = tuple(tio.decode_jpeg(data, device=where).shape)
    except Exception as error:  # nvJPEG and the driver report failures in many ways
        return Finding("codecs", "nvJPEG", BROKEN, summary(error))
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
    except Exception as error:  # importing a package runs its code, which can raise anything
        mend = _HEIF.replace("install", "install --force-reinstall")
        return Finding("codecs", "HEIC", BROKEN, summary(error), mend=mend)
    return Finding("codecs", "HEIC", OK, f"pillow-heif {pillow_heif.__version__}")
