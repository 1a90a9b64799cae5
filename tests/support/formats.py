"""Sends every format, depth, alpha and profile through `load_image` and `save_image` to independent readers.

Run as a program (`make formats`) it prints the table. Readers that are not installed are left out.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tifffile
from helpers import photo
from PIL import Image, ImageCms, features
from psd import CMYK as PSD_CMYK
from psd import GREY as PSD_GREY
from psd import psd

import gpen_fast
from gpen_fast.errors import GpenError

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Suffixes of the outputs that hold every sample exactly.
LOSSLESS = (".png", ".tif")
OUTPUTS = ("png", "jpg", "webp", "tif")


def profile_of(space: bytes) -> bytes:
    """Returns a profile of another colour space: sRGB's with that field of its header changed."""
    return SRGB[:16] + space + SRGB[20:]


GREY, CMYK = profile_of(b"GRAY"), profile_of(b"CMYK")


@dataclass(frozen=True)
class Case:
    """One input file, and what a reader must find in the outputs."""

    suffix: str
    """The file name's suffix."""
    what: str
    """Colour, depth and packing, for the table."""
    data: bytes
    """The file."""
    wanted: np.ndarray
    """The upright pixels: (H,W) grey, or (H,W,C) with grey and alpha, RGB or RGBA."""
    error: float = 0.0
    """The largest allowed mean difference from `wanted` that the input's compression causes, of 255."""
    profile: bytes | None = None
    """The ICC profile that the outputs must hold."""
    described: bool = False
    """Whether the outputs must hold the EXIF description and position."""
    note: str = ""
    """Words that the note on the file must hold; the table shows them."""
    refused: str = ""
    """Words of the refusal, for a file that must not be read; the table shows them."""


def pillow(array: np.ndarray, kind: str, mode: str | None = None, **options: object) -> bytes:
    image = Image.fromarray(array)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


def opencv(array: np.ndarray, suffix: str, *options: int) -> bytes:
    order = {2: slice(None), 3: [2, 1, 0], 4: [2, 1, 0, 3]}[array.shape[2] if array.ndim == 3 else 2]
    return cv2.imencode(f".{suffix}", array if array.ndim == 2 else array[:, :, order], options)[1].tobytes()


def described_exif(orientation: int = 1) -> bytes:
    """Returns EXIF with a description, a GPS position and an orientation."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "mother", orientation
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0)}
    return exif.tobytes()


def cases() -> Iterator[Case]:
    yield from _jpegs()
    yield from _pngs()
    yield from _others()
    yield from _tiffs()
    yield from _big_tiffs()
    yield from _gifs()
    yield from _jpegs_2000()
    yield from _psds()


def _jpegs() -> Iterator[Case]:
    rgb, grey = photo(), photo(channels=1)
    exif = {"exif": described_exif(), "dpi": (300, 300)}
    for what, array, profile, carried, options in (
        ("RGB 8", rgb, None, None, {}),
        ("RGB 8 progressive", rgb, SRGB, SRGB, {"progressive": True}),
        ("RGB 8, profile of CMYK", rgb, CMYK, None, {}),
        ("grey 8", grey, GREY, GREY, {}),
        ("grey 8, profile of RGB", grey, SRGB, None, {}),
    ):
        data = pillow(array, "JPEG", quality=95, icc_profile=profile, **exif, **options)
        read = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
        )
        yield Case(
            "jpg", what, data, read[:, :, ::-1] if read.ndim == 3 else read, 0, carried, described=True
        )
    turned = pillow(
        np.rot90(rgb), "JPEG", quality=95, subsampling=0, exif=described_exif(6), icc_profile=SRGB
    )
    yield Case("jpg", "RGB 8 turned", turned, rgb, 2.5, SRGB, described=True)
    cmyk = pillow(rgb, "JPEG", "CMYK", quality=100, subsampling=0, icc_profile=CMYK)
    yield Case("jpg", "CMYK 8", cmyk, rgb, 2.0)


def _pngs() -> Iterator[Case]:
    for depth, dtype in ((8, np.uint8), (16, np.uint16)):
        for what, channels, profile in (
            ("grey", 1, GREY),
            ("grey alpha", 2, GREY),
            ("RGB", 3, SRGB),
            ("RGBA", 4, SRGB),
        ):
            array = photo(channels=channels, dtype=dtype)
            if depth == 8:
                yield Case(
                    "png", f"{what} 8", pillow(array, "PNG", icc_profile=profile), array, profile=profile
                )
            elif channels != 2:  # neither Pillow nor OpenCV writes 16-bit grey with alpha
                yield Case("png", f"{what} 16", opencv(array, "png"), array)
    rgb, grey = photo(), photo(channels=1)
    turned = pillow(np.rot90(rgb), "PNG", exif=described_exif(6), icc_profile=SRGB, dpi=(300, 300))
    yield Case("png", "RGB 8 turned", turned, rgb, profile=SRGB, described=True)
    palette = Image.fromarray(rgb).quantize(16)
    yield Case("png", "palette 4", _saved(palette, bits=4), np.asarray(palette.convert("RGB")))
    transparent = palette.copy()
    transparent.info["transparency"] = 3
    yield Case("png", "palette 4 tRNS", _saved(transparent, bits=4), np.asarray(transparent.convert("RGBA")))
    bilevel = Image.fromarray(grey).convert("1")
    yield Case("png", "grey 1", _saved(bilevel), np.asarray(bilevel.convert("L")))
    key = tuple(int(value) for value in rgb[0, 0])
    keyed = np.dstack([rgb, np.where((rgb == rgb[0, 0]).all(axis=2), 0, 255).astype(np.uint8)])
    yield Case("png", "RGB 8 tRNS", pillow(rgb, "PNG", transparency=key), keyed)
    yield Case("png", "RGB 8 without colour", pillow(np.dstack([grey] * 3), "PNG"), np.dstack([grey] * 3))


def _saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _others() -> Iterator[Case]:
    rgb, rgba = photo(), photo(channels=4)
    lossy = pillow(rgb, "WEBP", quality=95, icc_profile=SRGB, exif=described_exif())
    yield Case("webp", "RGB 8 lossy", lossy, rgb, 4.0, SRGB, described=True)
    yield Case("webp", "RGB 8 lossless", pillow(rgb, "WEBP", lossless=True), rgb)
    yield Case(
        "webp",
        "RGBA 8 lossless",
        pillow(rgba, "WEBP", lossless=True, exact=True, icc_profile=SRGB),
        rgba,
        0,
        SRGB,
    )
    palette = Image.fromarray(rgb).quantize(16)
    bilevel = Image.fromarray(photo(channels=1)).convert("1")
    yield Case("bmp", "RGB 8", pillow(rgb, "BMP"), rgb)
    yield Case("bmp", "RGBA 8", opencv(rgba, "bmp"), rgba)
    yield Case("bmp", "palette 8", _saved(palette, "BMP"), np.asarray(palette.convert("RGB")))
    yield Case("bmp", "grey 1", _saved(bilevel, "BMP"), np.asarray(bilevel.convert("L")))
    if features.check("avif"):
        yield Case(
            "avif",
            "RGB 8",
            pillow(rgb, "AVIF", quality=95, icc_profile=SRGB, exif=described_exif()),
            rgb,
            3.0,
            SRGB,
            True,
        )
        yield Case("avif", "RGBA 8", pillow(rgba, "AVIF", quality=95), rgba, 3.0)
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()
    yield Case(
        "heic",
        "RGB 8",
        pillow(rgb, "HEIF", quality=95, icc_profile=SRGB, exif=described_exif()),
        rgb,
        3.0,
        SRGB,
        True,
    )
    yield Case("heic", "RGBA 8", pillow(rgba, "HEIF", quality=95), rgba, 3.0)


def _tiffs() -> Iterator[Case]:
    rgb, grey = photo(), photo(channels=1)
    for packing in ("raw", "tiff_lzw", "tiff_adobe_deflate"):
        name = packing.removeprefix("tiff_").removeprefix("adobe_")
        yield Case(
            "tif", f"RGB 8 {name}", pillow(rgb, "TIFF", compression=packing, icc_profile=SRGB), rgb, 0, SRGB
        )
    yield Case("tif", "RGBA 8", pillow(photo(channels=4), "TIFF"), photo(channels=4))
    yield Case("tif", "grey 8", pillow(grey, "TIFF", icc_profile=GREY), grey, 0, GREY)
    yield Case("tif", "CMYK 8", pillow(rgb, "TIFF", "CMYK", icc_profile=CMYK), rgb, 1.0)
    yield Case(
        "tif",
        "RGB 8 two pages",
        pillow(rgb, "TIFF", save_all=True, append_images=[Image.new("L", (9, 9))]),
        rgb,
    )
    bilevel = Image.fromarray(grey).convert("1")
    yield Case(
        "tif",
        "grey 1 group4",
        _saved(bilevel, "TIFF", compression="group4"),
        np.asarray(bilevel.convert("L")),
    )
    for channels, name in ((1, "grey"), (3, "RGB"), (4, "RGBA")):
        array = photo(channels=channels, dtype=np.uint16)
        for packing, number in (("raw", 1), ("lzw", 5), ("deflate", 8)):
            data = opencv(array, "tif", cv2.IMWRITE_TIFF_COMPRESSION, number)
            yield Case("tif", f"{name} 16 {packing}", data, array)


def _big_tiffs() -> Iterator[Case]:
    for order, name in (("<", "little"), (">", "big")):
        for colour, channels in (("grey", 1), ("RGB", 3), ("RGBA", 4)):
            for dtype, packing in ((np.uint8, None), (np.uint16, "zlib")):
                array = photo(channels=channels, dtype=dtype)
                what = f"BigTIFF {name} {colour} {8 * array.itemsize} {packing or 'raw'}"
                yield Case("tif", what, _tifffile(array, byteorder=order, compression=packing), array)
    for packing in ("lzw", "zstd"):
        array = photo(dtype=np.uint16)
        yield Case("tif", f"BigTIFF RGB 16 {packing}", _tifffile(array, compression=packing), array)
    rgb = photo()
    profile = _tifffile(rgb, iccprofile=SRGB, tile=(16, 32), compression="zlib")
    yield Case("tif", "BigTIFF RGB 8 tiles", profile, rgb, profile=SRGB)
    turned = _tifffile(np.rot90(rgb), extratags=[(274, "H", 1, 6, True)])
    yield Case("tif", "BigTIFF RGB 8 turned", turned, rgb)
    whole = _tifffile(rgb)
    yield Case("tif", "BigTIFF cut", whole[: len(whole) // 2], rgb, refused="damaged")
    floats = _tifffile(rgb.astype(np.float32))
    yield Case("tif", "BigTIFF float", floats, rgb, refused="accepted are whole numbers of 1 to 16 bits")


def _tifffile(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    alpha = {"extrasamples": ["unassalpha"]} if array.ndim == 3 and array.shape[2] == 4 else {}
    photometric = "minisblack" if array.ndim == 2 else "rgb"
    tifffile.imwrite(file, array, photometric=photometric, bigtiff=True, metadata=None, **alpha, **options)
    return file.getvalue()


def _gifs() -> Iterator[Case]:
    palette = Image.fromarray(photo()).quantize(64)
    rgb, grey = np.asarray(palette.convert("RGB")), photo(channels=1)
    yield Case("gif", "palette 8", _saved(palette, "GIF"), rgb)
    yield Case("gif", "palette 8 interlaced", _saved(palette, "GIF", interlace=True), rgb)
    yield Case("gif", "grey palette 8", pillow(grey, "GIF"), np.dstack([grey] * 3))
    transparent = palette.copy()
    transparent.info["transparency"] = 3
    keyed = np.asarray(transparent.convert("RGBA"))
    yield Case("gif", "palette 8 transparent", _saved(palette, "GIF", transparency=3), keyed)
    moving = _saved(palette, "GIF", save_all=True, append_images=[palette.rotate(180)])
    yield Case("gif", "animation of 2 frames", moving, rgb, note="the first of its 2 pages or frames only")


def _jpegs_2000() -> Iterator[Case]:
    lossless = (cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000)
    for name, channels in (("grey", 1), ("RGB", 3), ("RGBA", 4)):
        array = photo(channels=channels)
        yield Case("jp2", f"{name} 8", pillow(array, "JPEG2000"), array)
    for name, channels in (("grey", 1), ("RGB", 3)):
        array = photo(channels=channels, dtype=np.uint16)
        yield Case("jp2", f"{name} 16", opencv(array, "jp2", *lossless), array)
    rgb = photo()
    yield Case("j2k", "RGB 8 bare stream", pillow(rgb, "JPEG2000", no_jp2=True), rgb)
    lossy = pillow(rgb, "JPEG2000", irreversible=True, quality_layers=[4])
    read = cv2.imdecode(np.frombuffer(lossy, np.uint8), cv2.IMREAD_UNCHANGED)[:, :, ::-1]
    yield Case("jp2", "RGB 8 lossy", lossy, read, 1.0)
    yield Case("jp2", "RGB 8 cut", lossy[:40], rgb, refused="damaged")


def _psds() -> Iterator[Case]:
    rgb, grey, rgba = photo(), photo(channels=1), photo(channels=4)
    yield Case(
        "psd", "RGB 8", psd(rgb, resources={1039: SRGB, 1058: described_exif()[6:]}), rgb, 0, SRGB, True
    )
    yield Case("psd", "grey 8", psd(grey[:, :, None], mode=PSD_GREY), grey)
    layers = psd(rgb, layers=3)
    yield Case("psd", "RGB 8 of 3 layers", layers, rgb, note="the merged picture of its 3 layers only")
    selection = psd(rgba, layers=2)
    yield Case(
        "psd", "RGB 8 with a selection", selection, rgba[:, :, :3], note="left out: its fourth channel"
    )
    # Without black, the inverted ink is the colour.
    cmyk = psd(np.dstack([rgb, np.full_like(grey, 255)]), mode=PSD_CMYK)
    yield Case("psd", "CMYK 8", cmyk, rgb, 1.0)
    on_white = (rgba[:, :, :3] * (rgba[:, :, 3:] / 255) + 255 - rgba[:, :, 3:]).round().astype(np.uint8)
    transparent = psd(np.dstack([on_white, rgba[:, :, 3]]), layers=-1)
    straight = _straight(on_white, rgba[:, :, 3])
    yield Case("psd", "RGBA 8", transparent, straight, 0.01)
    yield Case("psd", "RGB 16", psd(photo(dtype=np.uint16)), rgb, refused="accepted are 8 bits")
    yield Case("psd", "RGB 8 PSB", psd(rgb, version=2), rgb, refused="such as PSB")
    alone = psd(rgb, resources={1057: bytes(5)})
    yield Case("psd", "RGB 8 no merged picture", alone, rgb, refused="without its merged picture")


def _straight(on_white: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colours before they were mixed with white; white under full transparency."""
    part = np.maximum(alpha, 1)[:, :, None] / 255
    colours = ((on_white - 255.0) / part + 255).round().clip(0, 255)
    return np.dstack([np.where(alpha[:, :, None] > 0, colours, 255), alpha]).astype(np.uint8)


# ---------------------------------------------------------------- readers


@dataclass(frozen=True)
class Row:
    """One output file with the readers' verdicts: by reader, "ok" or the objection."""

    case: Case
    suffix: str
    facts: str
    verdicts: dict[str, str]

    @property
    def objections(self) -> dict[str, str]:
        """Returns the verdicts that are not "ok"."""
        return {name: verdict for name, verdict in self.verdicts.items() if verdict != "ok"}


# Readers of one format.
_ONLY = {"pngcheck": "png", "tifffile": "tif"}


def round_trips(case: Case, folder: Path, programs: bool = True) -> Iterator[Row]:
    """Loads one case, saves it in each output format, and lets every installed reader check the file.

    `programs=False` leaves out the readers that run as processes of their own.
    """
    source = folder / f"source.{case.suffix}"
    source.write_bytes(case.data)
    if case.refused:
        yield Row(case, "-", f"refused: {case.refused}"[:22], {"gpen-fast": _refused_file(source, case)})
        return
    frame = gpen_fast.load_image(source)
    if case.note not in frame.note:
        yield Row(case, "-", "", {"gpen-fast": f"the note is {frame.note!r}"})
    for suffix in OUTPUTS:
        target = folder / f"target.{suffix}"
        if suffix == "jpg" and case.wanted.ndim == 3 and case.wanted.shape[2] in (2, 4):
            verdict = _refused(frame, target)
            yield Row(case, suffix, "refused: transparent", {"gpen-fast": verdict})
            continue
        gpen_fast.save_image(frame, target, quality=95)
        verdicts = {
            name: _verdict(reader, target, case)
            for name, reader in readers(programs).items()
            if _ONLY.get(name, suffix) == suffix
        }
        yield Row(case, suffix, _facts(target), verdicts)


def _refused_file(source: Path, case: Case) -> str:
    try:
        gpen_fast.load_image(source)
    except GpenError as error:
        return "ok" if case.refused in str(error) else str(error)
    return "the file was read"


def _refused(frame: gpen_fast.Frame, target: Path) -> str:
    try:
        gpen_fast.save_image(frame, target)
    except Exception as error:
        return "ok" if "JPEG cannot hold" in str(error) else str(error)
    return "a transparent picture was written as JPEG"


def _verdict(reader: Callable[[Path, Case], None], target: Path, case: Case) -> str:
    try:
        reader(target, case)
    except AssertionError as objection:
        return str(objection).splitlines()[0] or "objects"
    return "ok"


def readers(programs: bool = True) -> dict[str, Callable[[Path, Case], None]]:
    """Returns the installed readers by name."""
    installed: dict[str, Callable[[Path, Case], None]] = {
        "Pillow": _by_pillow,
        "OpenCV": _by_opencv,
        "tifffile": _by_tifffile,
    }
    if not programs:
        return installed
    for name, program, reader in (
        ("exiftool", "exiftool", _by_exiftool),
        ("pngcheck", "pngcheck", _by_pngcheck),
        ("ImageMagick", "identify", _by_imagemagick),
    ):
        if shutil.which(program):
            installed[name] = reader
    return installed


def _expected(case: Case, target: Path) -> tuple[np.ndarray, float]:
    """Returns the pixels that the target must hold, and the largest allowed mean difference from them."""
    array = case.wanted
    if target.suffix in LOSSLESS:
        return array, case.error
    if array.dtype == np.uint16:
        array = np.round(array / 257).astype(np.uint8)
    return array, case.error + (3.0 if target.suffix == ".jpg" else 6.0)


def _profile(case: Case, target: Path) -> bytes | None:
    """Returns the profile that the target must hold. WebP has no grey, so it drops a grey profile."""
    return None if target.suffix == ".webp" and case.profile == GREY else case.profile


def _close(got: np.ndarray, case: Case, target: Path) -> None:
    wanted, error = _expected(case, target)
    # Pillow gives a big-endian file's samples in that order.
    assert got.dtype.newbyteorder("=") == wanted.dtype, f"{got.dtype} instead of {wanted.dtype}"
    if target.suffix == ".webp" or (
        case.profile == SRGB and wanted.ndim == 2
    ):  # a grey picture becomes three equal channels here
        wanted = _in_colour(wanted)
    assert got.shape == wanted.shape, f"shape {got.shape} instead of {wanted.shape}"
    difference = np.abs(got.astype(float) - wanted.astype(float))
    if wanted.shape[2:] == (4,):  # under full transparency a lossy format may change the colour
        assert error or not difference.any(), "the pixels differ"
        difference = difference * (wanted[:, :, 3:] > 0 if error else 1)
    mean = difference.mean() * 255 / np.iinfo(wanted.dtype).max
    assert mean <= error, f"mean difference {mean:.2f}, at most {error} is allowed"


def _in_colour(array: np.ndarray) -> np.ndarray:
    if array.ndim == 2:
        return np.dstack([array] * 3)
    return array if array.shape[2] > 2 else array[:, :, [0, 0, 0, 1]]


def _by_tifffile(target: Path, case: Case) -> None:
    _close(tifffile.imread(target), case, target)


def _by_pillow(target: Path, case: Case) -> None:
    if target.suffix == ".tif" and case.wanted.dtype == np.uint16 and case.wanted.ndim == 3:
        return  # Pillow does not open TIFF of 16-bit colour
    with Image.open(target) as image:
        assert image.getexif().get(0x0112, 1) == 1, "the orientation was not reset"
        assert image.info.get("icc_profile") == _profile(case, target), "the profile differs"
        if case.described:
            assert image.getexif()[0x010E] == "mother", "EXIF is missing"
            assert image.getexif().get_ifd(0x8825)[1] == "N", "GPS is missing"
        deep = case.wanted.dtype == np.uint16 and target.suffix in LOSSLESS
        if not deep or image.mode.startswith("I;16"):  # Pillow cannot read 16-bit colour
            _close(np.asarray(image), case, target)


def _by_opencv(target: Path, case: Case) -> None:
    if target.suffix == ".tif" and case.wanted.ndim == 3 and case.wanted.shape[2] in (2, 4):
        return  # OpenCV multiplies colours by alpha there
    got = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    assert got is not None, "OpenCV cannot read the file"
    if got.ndim == 3:
        got = got[:, :, [2, 1, 0, 3][: got.shape[2]]]
    if (
        case.wanted.ndim == 3 and case.wanted.shape[2] == 2 and target.suffix == ".png"
    ):  # OpenCV reads grey with alpha as colour with alpha
        assert (got[:, :, 0] == got[:, :, 1]).all(), "grey became colour"
        got = got[:, :, [0, 3]]
    _close(got, case, target)


def _output_of(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def _by_exiftool(target: Path, case: Case) -> None:
    tags = json.loads(_output_of("exiftool", "-j", "-n", "-b", "-all", str(target)))[0]
    warning = str(tags.get("Warning", tags.get("Error", "")))
    assert not warning, warning
    assert tags.get("Orientation", 1) == 1, "the orientation was not reset"
    assert "ThumbnailImage" not in tags, "a thumbnail is left"
    space = tags.get("ColorSpaceData", "").strip()
    assert space == (_profile(case, target) or b"")[16:20].decode().strip(), "the profile differs"
    if case.described:
        assert tags.get("ImageDescription") == "mother", "EXIF is missing"
        assert round(tags.get("GPSLatitude", 0), 4) == 48.8583, "GPS is missing"


def _by_pngcheck(target: Path, case: Case) -> None:
    done = subprocess.run(["pngcheck", "-q", str(target)], capture_output=True, text=True, check=False)
    output = (done.stdout + done.stderr).strip()
    assert done.returncode == 0 and not output, output


def _by_imagemagick(target: Path, case: Case) -> None:
    kind, depth, width, height = _output_of("identify", "-format", "%m %z %w %h", str(target)).split()
    assert kind == {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP", ".tif": "TIFF"}[target.suffix], kind
    deep = case.wanted.dtype == np.uint16 and target.suffix in LOSSLESS
    bits = {"16"} if deep else {"8", "1"}  # ImageMagick reports black and white as 1 bit
    assert depth in bits, f"{depth} bits"
    assert (int(height), int(width)) == case.wanted.shape[:2], f"{width}x{height}"


def _facts(target: Path) -> str:
    if target.suffix == ".tif":
        array = tifffile.imread(target)
        samples = array.shape[2] if array.ndim == 3 else 1
        colour, alpha = "RGB" if samples > 2 else "grey", "-" if samples % 2 else "alpha"
        return f"{colour:<5} {8 * array.itemsize:>2} {alpha:<6} {'':<5}"
    data = target.read_bytes()
    with Image.open(target) as image:
        depth = data[24] if target.suffix == ".png" else 8
        alpha = (
            {4: "alpha", 6: "alpha"}.get(data[25], "-")
            if target.suffix == ".png"
            else "alpha" * image.has_transparency_data or "-"
        )
        colour = "grey" if (data[25] in (0, 4) if target.suffix == ".png" else image.mode == "L") else "RGB"
        profile = (image.info.get("icc_profile") or b"")[16:20].decode().strip() or "-"
    return f"{colour:<5} {depth:>2} {alpha:<6} {profile:<5}"


def main() -> None:
    names = list(readers())
    write = sys.stdout.write
    write(f"{'in':<30} -> {'out':<5} {'as':<22} {' '.join(f'{name:<12}' for name in names)}\n")
    bad = rows = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases():
            for row in round_trips(case, Path(folder)):
                rows += 1
                bad += bool(row.objections)
                verdicts = " ".join(f"{row.verdicts.get(name, '-'):<12}" for name in names)
                if "gpen-fast" in row.verdicts:
                    verdicts = row.verdicts["gpen-fast"]
                write(f"{case.suffix + ' ' + case.what:<30} -> {row.suffix:<5} {row.facts:<22} {verdicts}\n")
    write(f"{rows} rows, {bad} with objections\n")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
