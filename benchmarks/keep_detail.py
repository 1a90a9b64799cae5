"""Measures --keep-detail on portraits whose undamaged form is known: PSNR of input, default and --keep-detail 0.

Method: held-out portraits (manifest.csv of the training folder) have 0.2 to 4 times the network's side and a damage:
JPEG, noise, blur, a downscale, or several. They pass crop, network, blend and paste as in a run, at a known place: no
detector takes part. PSNR is that of the whole picture against the undamaged one. A portrait has no detail beyond its
256 pixels: larger ones get that of other portraits, tiled (`training.need.samples.sized_face`).

Three networks: the embedded one; `identity`, which returns its 512 pixels unchanged; `random`, of 512 pixels with
random weights. The last two stand for unknown networks: whatever they return, a picture must not become
worse.

`sharp` lists photographs, restored by a whole run: the Laplacian's variance of the result over that of the input.

Usage: python benchmarks/keep_detail.py [--data FOLDER] [--pictures FOLDER] [--faces 12] [--networks embedded random]
           [--sizes 0.2 0.5 1 4] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from stages import HERE, machine
from torch import Tensor

from gpen_fast import Restorer, __version__
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.measure.environment import commit
from gpen_fast.measure.export.json import write_json
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import PasteOptions, Settings
from gpen_fast.stages.crop import crop
from gpen_fast.stages.generate.eager import create as eager
from gpen_fast.stages.generate.runner import Generator
from gpen_fast.stages.need.blend import blend
from gpen_fast.stages.paste import paste
from gpen_fast.training.data import HELD_OUT, read_faces, read_manifest
from gpen_fast.training.degrade import Damage, degrade
from gpen_fast.training.need.commands import restored_crops
from gpen_fast.training.need.samples import matrix_of, sized_face
from gpen_fast.types import Face, Frame

SHARED = HERE.parent.parent / "shared"
CPU = torch.device("cpu")
Network = Callable[[Tensor], Tensor]
DAMAGES: dict[str, Damage | None] = {
    "clean": None,
    "JPEG 90": Damage(1, 0, 0, 90),
    "JPEG 70": Damage(1, 0, 0, 70),
    "JPEG 40": Damage(1, 0, 0, 40),
    "noise 5": Damage(1, 0, 5, None),
    "noise 10": Damage(1, 0, 10, None),
    "noise 20": Damage(1, 0, 20, None),
    "blur 1.5": Damage(1, 1.5, 0, None),
    "f 1.5": Damage(1.5, 0.5, 0, None),
    "f 2": Damage(2, 2 / 3, 0, None),
    "f 3": Damage(3, 1, 0, None),
    "f 4": Damage(4, 4 / 3, 0, None),
    "f 6": Damage(6, 2, 0, None),
    "noise 10, JPEG 70": Damage(1, 0, 10, 70),
    "f 2, noise 5, JPEG 75": Damage(2, 2 / 3, 5, 75),
    "f 4, noise 5, JPEG 75": Damage(4, 4 / 3, 5, 75),
    # What small faces of real pictures have: a little blur, noise and compression at once.
    "blur 0.5, JPEG 60": Damage(1, 0.5, 0, 60),
    "blur 0.5, noise 5, JPEG 60": Damage(1, 0.5, 5, 60),
    "blur 1, noise 3, JPEG 85": Damage(1, 1, 3, 85),
}
# dB: what rounding to 8 bits may cost.
ROUNDING = 0.01
# Faces of the larger sizes, as parts of those of the smaller ones: they take longer.
FEWER = {0.2: 1.0, 0.3: 1.0, 0.4: 1.0, 0.5: 1.0, 1.0: 1.0, 2.0: 0.5, 4.0: 0.25}
# Photographs whose faces are larger than the embedded network and in focus.
SHARP = ("pramila-jayapal_1024x1024.jpg", "sheldon-whitehouse_1024x1024.jpg", "G000289_675x825.jpg",
         "K000009_675x825.jpg", "M001154_675x825.jpg", "W000273_675x825.jpg", "L000570_720x900.jpg")  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """Some faces of one size with one damage through one network; PSNR in dB, means over the faces."""

    network: str
    size: float
    """The face's side over the network's."""
    damage: str
    faces: int
    before: float | None
    """The input's; None where it is equal to the original."""
    today: float
    """With keep_detail 0."""
    after: float | None
    """By default; None where it is equal to the original."""
    least: float | None
    """The worst face by default."""
    worse: int
    """Faces whose PSNR fell more than 0.01 dB below their input's: less is rounding."""
    loss: float
    """The largest fall, dB."""
    below_today: int
    """Faces more than 0.05 dB below keep_detail 0."""


def networks(names: list[str]) -> Iterator[tuple[str, int, Network]]:
    """Yields name, side and network."""
    for name in names:
        if name == "identity":
            yield name, 512, lambda crops: crops
            continue
        if name == "embedded":
            options = Settings.from_flat(model="gpen-lite-256", detector="none", precision="fp32")
            generator = load_runtime(options).generator
        else:
            config = config_from_arguments(512, style_dim=64, n_mlp=2, channel_multiplier=1, narrow=0.125)
            generator = Generator(eager(build(random_state(config)), "fp32", CPU))
        yield name, generator.backend.size, lambda crops, g=generator: restored_crops(g, crops)


def psnr(picture: np.ndarray, truth: np.ndarray) -> float:
    """dB of (H,W,3) uint8; infinite where both are equal."""
    error = float(np.mean((picture.astype(np.float64) - truth) ** 2))
    return 10 * np.log10(255**2 / error) if error else np.inf


def restored_twice(picture: np.ndarray, network: Network, size: int, turn: float) -> list[np.ndarray]:
    """Restores the face that fills a picture: with keep_detail 0, then by default."""
    frame = Frame(torch.from_numpy(picture.copy()).permute(2, 0, 1))
    side = picture.shape[0]
    faces = [Face((side * 0.25, side * 0.25, side * 0.75, side * 0.75), 1.0)]
    crops = crop(frame, matrix_of(side, size, turn)[None], size)
    restored = tuple(network(crops.pixels))
    blended = blend(frame, crops, restored, PasteOptions())
    done = [
        paste(frame, faces, crops.matrices, restored),
        paste(frame, faces, crops.matrices, blended.layers, 1.0, blended.shares),
    ]
    return [each.pixels.permute(1, 2, 0).numpy() for each in done]


def measure_cell(
    name: str, side: int, network: Network, portraits: np.ndarray, size: float, damage: str, count: int
) -> Cell:
    """Measures `count` faces; the same faces and the same noise in every run."""
    rows = []
    for face in range(count):
        rng = np.random.default_rng([face, round(size * 2), list(DAMAGES).index(damage)])
        truth = sized_face(portraits, face, size * side / portraits.shape[1], rng)
        how = DAMAGES[damage]
        damaged = degrade(truth, how, rng) if how else truth
        turn = float(rng.uniform(-15, 15)) if face % 2 else 0.0
        both = restored_twice(damaged, network, side, turn)
        rows.append([psnr(damaged, truth), *(psnr(each, truth) for each in both)])
    before, today, after = np.array(rows).T
    with np.errstate(invalid="ignore"):
        fall = np.nan_to_num(before - after, nan=0.0, posinf=0.0)
    return Cell(
        name, size, damage, count, finite(before.mean()), round(float(today.mean()), 2), finite(after.mean()),
        finite(after.min()), int((fall > ROUNDING).sum()), round(float(max(0.0, fall.max())), 3),
        int((after < today - 0.05).sum()),
    )  # fmt: skip


def finite(value: float) -> float | None:
    """dB rounded for the report; None for infinity."""
    return round(float(value), 2) if np.isfinite(value) else None


def sharpness(pictures: Path) -> list[dict[str, object]]:
    """The Laplacian's variance of photographs, before and after."""
    rows = []
    for keep in (0.0, 1.0):
        restorer = Restorer(model="gpen-lite-256", precision="fp32", keep_detail=keep)
        for name in SHARP:
            if (pictures / name).is_file():
                after = laplacian(restorer.restore(pictures / name).image)
                rows.append({"picture": name, "keep_detail": keep, "after": round(after, 1)})
    for row in rows:
        was = laplacian(cv2.imread(str(pictures / str(row["picture"])))[:, :, ::-1])
        row |= {"before": round(was, 1), "ratio": round(float(str(row["after"])) / was, 3)}
    return rows


def laplacian(picture: np.ndarray) -> float:
    """The variance of the Laplacian of (H,W,3) RGB uint8."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def summary(cells: list[Cell]) -> dict[str, object]:
    """What the grid has to show, for each network."""
    found: dict[str, object] = {}
    for name in dict.fromkeys(cell.network for cell in cells):
        own = [cell for cell in cells if cell.network == name]
        damaged = [cell for cell in own if cell.damage != "clean"]
        clean = [cell.least for cell in own if cell.damage == "clean" and cell.least is not None]
        heavy = [cell for cell in damaged if (how := DAMAGES[cell.damage]) and how.factor >= 3]
        faces = sum(cell.faces for cell in damaged)
        found[name] = {
            "damaged_faces": faces,
            "not_worse": round(1 - sum(cell.worse for cell in damaged) / max(1, faces), 4),
            "worse_cells": sum((cell.after or 99) < (cell.before or 99) - ROUNDING for cell in damaged),
            "largest_loss": max((cell.loss for cell in damaged), default=0.0),
            "clean_least": min(clean) if clean else None,
            "heavy_least_above_today": min((round((c.after or 99) - c.today, 2) for c in heavy), default=None),
        }  # fmt: skip
    return found


def table(cells: list[Cell]) -> Table:
    """The grid as a table."""
    drawn = Table("network", "size", "damage", "faces", "input", "keep 0", "default", "worse", "loss")
    for c in cells:
        numbers = ["equal" if value is None else f"{value:.2f}" for value in (c.before, c.today, c.after)]
        drawn.add_row(
            c.network, f"{c.size:g}", c.damage, str(c.faces), *numbers, str(c.worse), f"{c.loss:.3f}"
        )
    return drawn


def main() -> None:
    """Runs the grid, prints it and writes it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "portraits256")
    parser.add_argument("--pictures", type=Path, default=SHARED / "images")
    parser.add_argument("--faces", type=int, default=12)
    parser.add_argument("--networks", nargs="+", default=["embedded", "identity", "random"])
    parser.add_argument("--sizes", nargs="+", type=float, default=list(FEWER))
    parser.add_argument("--damages", nargs="+", default=list(DAMAGES))
    parser.add_argument("--json", type=Path, default=HERE / "results" / machine() / "keep-detail.json")
    given = parser.parse_args()
    rows = [row for row in read_manifest(given.data, HELD_OUT) if row.scale <= 1]
    chosen = np.random.default_rng(1).permutation(len(rows))[: max(given.faces, 32)]
    portraits = read_faces(given.data, [rows[i] for i in chosen], 256)
    cells = []
    with torch.inference_mode():
        for name, side, network in networks(given.networks):
            for size in given.sizes:
                count = max(1, round(given.faces * FEWER.get(size, 1.0) * (1 if name == "embedded" else 0.5)))
                for damage in given.damages:
                    cells.append(measure_cell(name, side, network, portraits, size, damage, count))
                    print(json.dumps(asdict(cells[-1])), flush=True)
    found = summary(cells)
    sharp = sharpness(given.pictures)
    Console(width=120).print(table(cells))
    print(json.dumps({"summary": found, "sharp": sharp}, indent=1))
    document = {"schema": 1, "version": __version__, "commit": commit(), "summary": found, "sharp": sharp}
    write_json(document | {"cells": [asdict(cell) for cell in cells]}, given.json)


if __name__ == "__main__":
    main()
