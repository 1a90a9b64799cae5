"""Compares the PNG encoders of the package, OpenCV and torchvision: milliseconds and bytes, in one run.

Method: a call encodes pixels on the device to a file's bytes in host memory; for OpenCV and torchvision it includes the
copy to the host. The methods run in turns until each has used its seconds or made 20 runs; the times are medians.
Photographs are the coloured ones of examples/ and, if present, of ../shared/images, cropped around their centres; each
run takes the next one. `face` is a face enlarged until it is as smooth as a restored one. The bytes are counted over
all pictures. A batch encodes several pictures in one call, and its time is divided by their number. `on GPU` counts the
kernels, memsets and copies of a call. Compare the times of one run on one machine only.

Usage: python benchmarks/png.py [--sizes 256 512 1024 4000x3000] [--kinds photograph face noise flat] [--batch 32]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision
from PIL import Image
from stages import HERE, add_commit, results_folder

from gpen_fast import __version__
from gpen_fast.device.select import pick_device
from gpen_fast.device.streams import synchronize
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json
from gpen_fast.png import encode_png, encode_pngs
from gpen_fast.png.host import encode_on_host

EXAMPLES = HERE.parent / "examples"
SHARED = Path(os.environ.get("GPEN_FAST_SHARED", HERE.parents[1] / "shared")) / "images"
MAX_RUNS = 20
# The method that all others are compared with.
BASELINE = "torchvision 6"
# Encodes one picture or a batch, and returns the bytes of each file.
Method = Callable[[torch.Tensor], list[int]]


def photographs(height: int, width: int) -> Iterator[np.ndarray]:
    """Yields the centres of photographs that are large enough; without any, an example extended by reflection."""
    paths = sorted(
        [*EXAMPLES.glob("*.jpg"), *EXAMPLES.glob("*.png"), *SHARED.glob("*.jpg"), *SHARED.glob("*.webp")]
    )
    found = 0
    for path in paths:
        with Image.open(path) as image:
            if (
                image.height < height
                or image.width < width
                or image.height * image.width > 20 * height * width
            ):
                continue
            box = ((image.width - width) // 2, (image.height - height) // 2)
            array = np.asarray(image.convert("RGB").crop((*box, box[0] + width, box[1] + height)))
        # Skip grey pictures: the package writes one channel and the other encoders write three.
        if np.ptp(array, axis=2).any():
            found += 1
            yield array
    if not found:
        array = np.asarray(Image.open(EXAMPLES / "astronaut.png").convert("RGB"))
        padding = [
            (0, max(0, wanted - side)) for wanted, side in zip((height, width), array.shape[:2], strict=True)
        ]
        yield np.pad(array, [*padding, (0, 0)], mode="symmetric")[:height, :width]


def face(height: int, width: int) -> np.ndarray:
    """Returns a face of 170 pixels, enlarged to (H,W,3) uint8, with a little noise."""
    array = np.asarray(Image.open(EXAMPLES / "astronaut.png").convert("RGB"))[30:200, 140:310]
    large = cv2.resize(array, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return (
        (large + np.random.default_rng(1).normal(0, 0.7, large.shape)).round().clip(0, 255).astype(np.uint8)
    )


def inputs(kind: str, height: int, width: int, device: torch.device) -> list[torch.Tensor]:
    """Returns the pictures of a kind as (3,H,W) uint8 tensors on `device`."""
    arrays = {
        "photograph": lambda: list(photographs(height, width)),
        "face": lambda: [face(height, width)],
        "noise": lambda: [np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)],
        "flat": lambda: [np.full((height, width, 3), (70, 120, 200), np.uint8)],
    }[kind]()
    return [torch.from_numpy(np.array(array)).permute(2, 0, 1).contiguous().to(device) for array in arrays]


def by_opencv(level: int) -> Method:
    """Returns OpenCV's encoder at compression `level`; all else is OpenCV's default."""

    def encode(pixels: torch.Tensor) -> list[int]:
        array = cv2.cvtColor(to_host(pixels), cv2.COLOR_RGB2BGR)
        return [len(cv2.imencode(".png", array, [cv2.IMWRITE_PNG_COMPRESSION, level])[1])]

    return encode


def to_host(pixels: torch.Tensor) -> np.ndarray:
    """Copies (3,H,W) pixels to an (H,W,3) array in host memory."""
    return pixels.permute(1, 2, 0).contiguous().cpu().numpy()


def methods(device: torch.device, batch: int) -> dict[str, Method]:
    """Returns the compared methods by name; each takes (3,H,W) pixels on `device`."""
    many = f"encode_pngs, batch of {batch}, {device.type}"
    together = {many: lambda pixels: [len(data) for data in encode_pngs(pixels.expand(batch, -1, -1, -1))]}
    return {
        BASELINE: lambda pixels: [len(torchvision.io.encode_png(pixels.cpu(), 6))],
        **{f"cv2 {level}": by_opencv(level) for level in (1, 3, 6)},
        "host fast": lambda pixels: [len(encode_on_host(to_host(pixels)))],
        "host small": lambda pixels: [len(encode_on_host(to_host(pixels), level="small"))],
        f"encode_png, {device.type}": lambda pixels: [len(encode_png(pixels))],
        **(together if batch > 1 else {}),
    }


def on_gpu(encode: Method, pixels: torch.Tensor) -> int | None:
    """Counts the kernels, memsets and copies that a call runs on the GPU; None for pixels on the host."""
    if not pixels.is_cuda:
        return None
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiled:
        encode(pixels)
        synchronize(pixels.device)
    return sum(event.device_type == torch.autograd.DeviceType.CUDA for event in profiled.events())


def measure(
    pictures: list[torch.Tensor], compared: dict[str, Method], seconds: float
) -> dict[str, dict[str, list]]:
    """Returns, by method, the milliseconds per picture of each run and the bytes of each picture."""
    found: dict[str, dict[str, list]] = {
        name: {"ms": [], "bytes": [], "on_gpu": [on_gpu(encode, pictures[0])]}
        for name, encode in compared.items()
    }
    spent = dict.fromkeys(compared, 0.0)
    for run in range(max(MAX_RUNS, len(pictures))):
        for name, encode in compared.items():
            every_picture = run < len(pictures) and "batch" not in name
            if not every_picture and (run >= MAX_RUNS or (run and spent[name] > seconds)):
                continue
            start = time.perf_counter()
            sizes = encode(pictures[run % len(pictures)])
            took = time.perf_counter() - start
            spent[name] += took
            found[name]["ms"].append(1000 * took / len(sizes))
            if run < len(pictures):
                found[name]["bytes"].append(sizes[0])
    return found


def rows(
    kind: str, height: int, width: int, found: dict[str, dict[str, list]]
) -> Iterator[dict[str, object]]:
    """Yields one row for each method."""
    raw = height * width * 3
    base = found[BASELINE]["bytes"]
    for name, measured in found.items():
        ms = statistics.median(measured["ms"])
        ratios = [size / other for size, other in zip(measured["bytes"], base, strict=False)]
        yield {
            "height": height, "width": width, "kind": kind, "method": name,
            "pictures": len(measured["bytes"]), "runs": len(measured["ms"]),
            "ms": {"median": round(ms, 3), "min": round(min(measured["ms"]), 3), "max": round(max(measured["ms"]), 3)},
            "mb_per_s": round(raw / 1e3 / ms, 1),
            "times_faster": round(statistics.median(found[BASELINE]["ms"]) / ms, 2),
            "over_raw": round(statistics.median(measured["bytes"]) / raw, 4),
            "on_gpu": measured["on_gpu"][0],
            "over_torchvision": {"median": round(statistics.median(ratios), 4), "max": round(max(ratios), 4)},
        }  # fmt: skip


def show(row: dict) -> None:
    """Prints one row of the table."""
    size = row["over_torchvision"]
    print(
        f"| {row['width']}x{row['height']} | {row['kind']} | {row['method']} | {row['ms']['median']:.2f} "
        f"| {row['mb_per_s']:.0f} | {row['times_faster']:.1f} | {row['over_raw']:.3f} "
        f"| {size['median']:.3f} | {size['max']:.3f} | {'' if row['on_gpu'] is None else row['on_gpu']} |",
        flush=True,
    )


def main() -> None:
    """Measures, prints the table and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", nargs="+", default=["256", "512", "1024", "4000x3000"], help="SIDE or WIDTHxHEIGHT"
    )
    parser.add_argument("--kinds", nargs="+", default=["photograph", "face", "noise", "flat"])
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--batch", type=int, default=32, help="pictures of 512x512 per call")
    parser.add_argument(
        "--seconds", type=float, default=0.5, help="time limit of each method and kind of picture"
    )
    parser.add_argument(
        "--json",
        type=Path,
        help="report file; default png-<sizes>.json in the results folder",
    )
    add_commit(parser)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="The image decoding and encoding capabilities")
    device = pick_device(arguments.device)
    for encode in methods(device, 2).values():
        encode(torch.zeros(3, 64, 64, dtype=torch.uint8, device=device))
    print(
        "| size | picture | method | ms | MB/s | times torchvision's speed "
        "| bytes over raw | over torchvision 6: median | most | on GPU |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    facts = {
        "schema": 1,
        "suite": "png",
        "version": __version__,
        "commit": commit(),
        "device": asdict(device_facts(device)),
    }
    versions = {
        "opencv": cv2.__version__,
        "torchvision": torchvision.__version__,
        "pillow": Image.__version__,
    }
    target = arguments.json or results_folder(arguments.commit) / f"png-{'-'.join(arguments.sizes)}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    table = []
    for size in arguments.sizes:
        width, height = (int(side) for side in (size.split("x") * 2)[:2])
        batch = max(1, min(arguments.batch, arguments.batch * 512 * 512 // (width * height)))
        for kind in arguments.kinds:
            found = measure(inputs(kind, height, width, device), methods(device, batch), arguments.seconds)
            for row in rows(kind, height, width, found):
                show(row)
                table.append(row)
            # Write after each kind, so that a run that is cut short keeps its rows.
            write_json({**facts, "versions": versions, "rows": table}, target)


if __name__ == "__main__":
    main()
