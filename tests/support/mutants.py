"""Damaged pictures from a seed: truncated copies, flipped bits, lost blocks and forged headers.

As a program it restores the files that it reads from standard input, one path per line, and answers each with one line.
A crash then ends this program and not the tests.
"""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image, ImageCms, UnidentifiedImageError, features
from psd import psd

EXAMPLE = Path(__file__).parents[2] / "examples" / "astronaut.png"
# Pixels that a file may declare; every good picture has far fewer.
MAX_PIXELS = 2_000_000
Mutation = Callable[[bytes, random.Random, "dict[str, bytes]"], bytes]


def good_files() -> dict[str, bytes]:
    """Returns one small portrait in many kinds of files, by name."""
    with Image.open(EXAMPLE) as whole:
        face = whole.convert("RGB").crop((110, 0, 340, 230)).resize((180, 180))
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "mother", 6
    exif.get_ifd(0x8769)[0x9286] = b"x" * 300
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    metadata = {"exif": exif.tobytes(), "icc_profile": icc}
    alpha = face.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(face.size))
    files = {
        "said.jpg": _saved(face, "JPEG", xmp=b"<x:xmpmeta/>", **metadata),
        "progressive.jpg": _saved(face, "JPEG", progressive=True),
        "grey.jpg": _saved(face.convert("L"), "JPEG"),
        "cmyk.jpg": _saved(face.convert("CMYK"), "JPEG"),
        "two.jpg": _saved(face, "MPO", save_all=True, append_images=[face]),
        "said.png": _saved(face, "PNG", **metadata),
        "alpha.png": _saved(alpha, "PNG"),
        "palette.png": _saved(face.quantize(16), "PNG", transparency=3),
        "lossy.webp": _saved(face, "WEBP", **metadata),
        "lossless.webp": _saved(alpha, "WEBP", lossless=True),
        "moving.webp": _saved(face, "WEBP", save_all=True, append_images=[face.rotate(9)]),
        "plain.bmp": _saved(face, "BMP"),
        "palette.bmp": _saved(face.quantize(16), "BMP"),
        "plain.tif": _saved(face, "TIFF"),
        "lzw.tif": _saved(face, "TIFF", compression="tiff_lzw"),
        "pages.tif": _saved(face, "TIFF", save_all=True, append_images=[face, face]),
        "jpeg.tif": _saved(face, "TIFF", compression="jpeg"),
    }
    deep = np.asarray(face)[:, :, ::-1].astype(np.uint16) * 257
    files["deep.png"] = cv2.imencode(".png", deep)[1].tobytes()
    files["deep.tif"] = cv2.imencode(".tif", deep)[1].tobytes()
    files["still.gif"] = _saved(face, "GIF", save_all=True, append_images=[face.rotate(9)])
    files["single.gif"] = _saved(face.quantize(64), "GIF", transparency=3)
    files["layers.psd"] = psd(np.asarray(alpha), layers=-2, resources={1039: icc, 1058: exif.tobytes()[6:]})
    files["deflate.tif"] = _saved(face, "TIFF", compression="tiff_adobe_deflate")
    files["grey.jp2"] = _saved(face.convert("L"), "JPEG2000")
    files["plain.jp2"] = _saved(face, "JPEG2000")
    files["plain.ppm"] = _saved(face, "PPM")
    files["deep.ppm"] = cv2.imencode(".ppm", deep)[1].tobytes()
    files["rle.tga"] = _saved(alpha, "TGA", compression="tga_rle")
    for name, options in {
        "big.tif": {"bigtiff": True, "compression": "zlib"},
        "back.tif": {"bigtiff": True, "byteorder": ">"},
        "planes.tif": {"planarconfig": "separate"},
    }.items():
        array = deep[:, :, ::-1].transpose(2, 0, 1) if "planarconfig" in options else np.asarray(face)
        file = io.BytesIO()
        tifffile.imwrite(file, array, photometric="rgb", **options)
        files[name] = file.getvalue()
    if features.check("avif"):
        files["plain.avif"] = _saved(face, "AVIF", **metadata)
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
        files["plain.heic"] = _saved(face, "HEIF", **metadata)
    except ImportError:
        pass
    return files


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def truncated(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    return data[: rng.randrange(len(data))]


def bits_flipped(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    made = bytearray(data)
    # Half of the time only the header is hit: it is short and matters most.
    end = len(made) if rng.random() < 0.5 else min(len(made), 400)
    for _ in range(rng.choice([1, 2, 8, 64])):
        made[rng.randrange(end)] ^= 1 << rng.randrange(8)
    return bytes(made)


def header_swapped(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    other = others[rng.choice(sorted(others))]
    length = rng.choice([4, 12, 33, 100, 600])
    return other[:length] + data[length:]


def part_lost(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice([1, 7, 512, 4096]) :]


def part_blank(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    start = rng.randrange(len(data))
    length = min(rng.choice([1, 16, 512, 4096]), len(data) - start)
    return data[:start] + rng.choice([b"\0", b"\xff"]) * length + data[start + length :]


def size_forged(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    """Writes another width and height into the header: huge, zero, or slightly too large."""
    width, height = rng.choice(
        [(65000, 65000), (0, 180), (180, 0), (180, 181), (1400, 1400), (65535, 1), (1, 65535)]
    )
    made = bytearray(data)
    if data[:2] == b"\xff\xd8":
        for at in range(len(made) - 9):
            if made[at] == 0xFF and made[at + 1] in (0xC0, 0xC1, 0xC2) and made[at + 2] == 0:
                struct.pack_into(">HH", made, at + 5, height, width)
    elif data[:4] == b"\x89PNG":
        struct.pack_into(">II", made, 16, rng.choice([width, 2**31 - 1]), height)
        struct.pack_into(">I", made, 29, zlib.crc32(bytes(made[12:29])))
    elif data[:2] == b"BM":
        struct.pack_into("<ii", made, 18, rng.choice([width, -width]), rng.choice([height, -height]))
    elif data[8:12] == b"WEBP" and data[12:16] == b"VP8X":
        made[24:30] = struct.pack("<I", max(width, 1) - 1)[:3] + struct.pack("<I", max(height, 1) - 1)[:3]
    elif data[8:12] == b"WEBP":
        struct.pack_into("<HH", made, 26, width & 0x3FFF, height & 0x3FFF)
    elif data[:2] in (b"II", b"MM"):
        return _tiff_tags_forged(
            made, {256: width, 257: height, 278: rng.choice([180, 2**31]), 322: 65000, 323: 65000}
        )
    elif (at := made.find(b"ispe")) >= 0:
        struct.pack_into(">II", made, at + 8, width, height)
    return bytes(made)


def _tiff_tags_forged(made: bytearray, values: dict[int, int]) -> bytes:
    order = "<" if made[:2] == b"II" else ">"
    big = 43 in made[2:4]
    (at,) = struct.unpack_from(order + ("Q" if big else "I"), made, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), made, at)
    start, step = (at + 8, 20) if big else (at + 2, 12)
    for entry in range(start, min(start + step * count, len(made) - step), step):
        (tag,) = struct.unpack_from(order + "H", made, entry)
        if tag in values:
            struct.pack_into(
                order + ("HQQ" if big else "HII"), made, entry + 2, 16 if big else 4, 1, values[tag]
            )
    return bytes(made)


def exif_forged(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    """Writes EXIF whose directories refer to themselves, hold thousands of entries, or point beyond the end."""
    entries = rng.choice([1, 3, 4000])
    tags = [rng.choice([0x8769, 0x8825, 0xA005, 0x010E, 0x0112, 0x0201, 0x927C]) for _ in range(entries)]
    body = b"".join(
        struct.pack(
            "<HHII",
            tag,
            rng.choice([2, 3, 4, 5, 7, 99]),
            rng.choice([1, 1, 2**31 - 1]),
            rng.choice([8, 20, 2**30]),
        )
        for tag in tags
    )
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", entries) + body + struct.pack("<I", 8)
    return _with_metadata(data, exif=exif[:65000])


def icc_forged(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    """Writes a colour profile that is noise, truncated, corrupted, or declares a false size."""
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    match rng.randrange(4):
        case 0:
            icc = bytearray(rng.randbytes(300))
        case 1:
            icc = icc[: rng.randrange(len(icc))]
        case 2:
            struct.pack_into(">I", icc, 0, 2**31)
        case 3:
            for _ in range(40):
                icc[rng.randrange(len(icc))] ^= 1 << rng.randrange(8)
    return _with_metadata(data, icc_profile=bytes(icc))


def bomb(data: bytes, rng: random.Random, others: dict[str, bytes]) -> bytes:
    """Inserts a chunk whose profile, text or pixels decompress to far more bytes than the file has."""
    packed = zlib.compress(bytes(30_000_000))
    kind = rng.choice([b"iCCP", b"zTXt", b"iTXt", b"IDAT"])
    name = {b"iCCP": b"x\0\0", b"zTXt": b"x\0\0", b"iTXt": b"x\0\1\0\0\0", b"IDAT": b""}[kind]
    chunk = kind + name + packed
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    png = data if data[:4] == b"\x89PNG" else others["said.png"]
    return png[:33] + chunk + png[33:]


def _with_metadata(data: bytes, **metadata: bytes) -> bytes:
    """Returns the same pixels with other metadata, written by Pillow, which does not check it."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind = image.format if image.format in {"JPEG", "PNG", "WEBP"} else "PNG"
            bare = Image.fromarray(
                np.asarray(image if image.mode in {"L", "RGB", "RGBA"} else image.convert("RGB"))
            )
    except UnidentifiedImageError:  # TIFF of 16-bit colour
        kind, bare = "PNG", Image.new("RGB", (180, 180))
    return _saved(bare, kind, **metadata)


MUTATIONS: tuple[Mutation, ...] = (
    truncated, bits_flipped, header_swapped, part_lost, part_blank, size_forged, exif_forged, icc_forged, bomb,
)  # fmt: skip


def mutants(count: int, seed: int = 2026) -> Iterator[tuple[str, bytes]]:
    """Yields `count` damaged files with names that say how; a larger count yields the same files first."""
    good = good_files()
    names = sorted(good)
    for number in range(count):
        rng = random.Random(seed * 100_003 + number)
        # Every pair of kind and mutation occurs before any pair repeats.
        mutation = MUTATIONS[number % len(MUTATIONS)]
        name = names[(number + number // len(MUTATIONS)) % len(names)]
        stem, suffix = name.split(".")
        yield f"{number:04d}-{stem}-{mutation.__name__}.{suffix}", mutation(good[name], rng, good)


def _answer(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Reads paths from standard input and answers each with one line of JSON: outcome, cause, peak memory."""
    import torch

    from gpen_fast.errors import reason
    from gpen_fast.measure.clock import Clock
    from gpen_fast.measure.recorder import Recorder
    from gpen_fast.run.job import PictureSource
    from gpen_fast.run.pipeline import Pipeline
    from gpen_fast.run.plan import Item
    from gpen_fast.run.runtime import load_runtime
    from gpen_fast.run.sink import Sink
    from gpen_fast.settings import OutputOptions, Settings

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    weights, out = sys.argv[1], Path(sys.argv[2])
    runtime = load_runtime(
        Settings.from_flat(weights=weights, detector="haar", device="cpu", max_pixels=MAX_PIXELS)
    )
    pipeline = Pipeline(runtime, Clock(Recorder()))
    _answer({"ready": True})
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        target = out / f"{path.name}.png"
        try:
            done = Sink([Item(path, target)], OutputOptions())(pipeline.restore(PictureSource(0, path)))
            answer = {"outcome": done.outcome, "note": done.note}
        except Exception as error:
            answer = {"outcome": "failed", "cause": reason(error, path), "kind": type(error).__name__}
        answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        _answer(answer)


if __name__ == "__main__":
    main()
