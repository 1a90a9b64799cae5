"""The whole measurement of a network on the held-out faces of every set, and its contact sheet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from gpen_fast.errors import InputsError
from gpen_fast.gpen import load_network
from gpen_fast.training.data import faces_to_network
from gpen_fast.training.lite.features import wavelet_distance
from gpen_fast.training.lite.sets import read_set_faces, read_sets
from gpen_fast.training.metrics import Restore, damaged_faces, quality, restored_faces

Faces = NDArray[np.uint8]
REACH_FACTORS = (1.0, 1.5, 3.0, 4.0, 6.0)
"""Downscale factors of the damage; 1 stands for a clean input."""
_SHEET_FACTORS = (1.5, 3.0, 6.0)


@dataclass(frozen=True)
class ReachRow:
    """What a network does to the held-out faces of one set at one factor. Every figure is the mean over the faces."""

    set: str
    """The set's folder."""

    factor: float
    """Downscale factor of the damage; 1 for a clean input."""

    psnr: float
    """PSNR of the restored faces against the originals in dB."""

    gain: float
    """The same less the PSNR of the inputs; 0 for a clean input, whose PSNR has no limit."""

    energy: float
    """Gradient energy, as a part of the original's."""

    correlation: float
    """Correlation of the gradients with the original's."""

    sharpness: float
    """Variance of the Laplacian, as a part of the original's."""

    features: float
    """Distance of wavelet moduli from the original, less the input's, as a part of the input's; below 0 is nearer."""

    colour: float
    """Mean colour's difference between restored face and input, of 255: the largest channel, without its sign."""

    twice: float
    """PSNR in dB of a twice restored face against the once restored one."""


def reach_row(network: Restore, name: str, faces: Faces, factor: float, seed: int = 0) -> ReachRow:
    """Measures a network.

    Args:
        network: The network.
        name: The set's name.
        faces: (N,S,S,3) RGB uint8 originals.
        factor: Downscale factor of the damage; 1 for none.
        seed: Decides the noise of the damage.
    """
    clean = factor == 1.0
    damaged = faces if clean else damaged_faces(faces, factor, seed)
    ours = restored_faces(network, damaged, 11)
    twice = restored_faces(network, ours, 11)
    # Equal pictures have an infinite PSNR, and numpy warns of it.
    with np.errstate(divide="ignore"):
        after, settled = quality(ours, faces), quality(twice, ours).psnr
    shift = (
        np.abs(ours.astype(np.float32).mean((1, 2)) - damaged.astype(np.float32).mean((1, 2))).max(1).mean()
    )
    before = 0.0 if clean else _features(damaged, faces)
    sharp = float(
        np.mean([_sharpness(one) / _sharpness(other) for one, other in zip(ours, faces, strict=True)])
    )
    gain = 0.0 if clean else after.psnr - quality(damaged, faces).psnr
    nearer = 0.0 if clean else _features(ours, faces) / before - 1
    return ReachRow(
        name, factor, after.psnr, gain, after.energy, after.correlation, sharp, nearer, float(shift), settled
    )


def _features(pictures: Faces, originals: Faces) -> float:
    parts = [
        wavelet_distance(faces_to_network(pictures[i : i + 8]), faces_to_network(originals[i : i + 8]))
        for i in range(0, len(pictures), 8)
    ]
    return float(torch.cat(parts).mean())


def _sharpness(face: Faces) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()) + 1e-6


def held_out_sets(folders: Sequence[Path], size: int, most: int) -> list[tuple[str, Faces]]:
    """Returns the name and the held-out faces, (N,S,S,3) uint8, of each set, at most `most` of them, evenly chosen."""
    out = []
    for folder, rows in zip(folders, read_sets(folders), strict=True):
        held = [row for row in rows if row.held_out]
        chosen = held[:: max(1, len(held) // most)][:most]
        faces = read_set_faces(chosen, size).permute(0, 2, 3, 1).contiguous().numpy()
        out.append((folder.name, faces))
    return out


def print_reach(weights: Path, folders: Sequence[Path], most: int, json_file: Path | None) -> None:
    """Prints the table of a checkpoint, and writes it as JSON where asked."""
    network = load_network(weights)
    size: int = network.size  # type: ignore[attr-defined]
    rows = [
        reach_row(network, name, faces, factor)
        for name, faces in held_out_sets(folders, size, most)
        for factor in REACH_FACTORS
    ]
    table = Table(
        "set",
        "f",
        "PSNR",
        "gain",
        "energy",
        "corr.",
        "Laplacian",
        "features",
        "colour",
        "twice",
        title=str(weights),
    )
    for row in rows:
        table.add_row(
            row.set, f"{row.factor:g}", f"{row.psnr:.2f}", f"{row.gain:+.2f}", f"{row.energy:.2f}",
            f"{row.correlation:.3f}", f"{row.sharpness:.2f}", f"{row.features:+.0%}", f"{row.colour:.2f}",
            f"{row.twice:.1f}",
        )  # fmt: skip
    Console(width=110).print(table)
    if json_file:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def reach_sheet(weights: Path, folders: Sequence[Path], old: Path | None, out: Path) -> None:
    """Writes a contact sheet of two faces of each set whom a picture may show, and of an old photograph.

    Args:
        weights: The checkpoint.
        folders: The sets' folders; a set whose faces are all of `staff` gives none.
        old: A photograph whose middle square is restored as it is; None for none.
        out: The picture to write.
    """
    from PIL import Image

    network = load_network(weights)
    size: int = network.size  # type: ignore[attr-defined]
    rows = [row for members in read_sets(folders) for row in members if row.held_out and row.kind != "staff"]
    chosen = rows[:: max(1, len(rows) // 4)][:4]
    if not chosen and old is None:
        raise InputsError("No held-out face may be shown: every row is kind 'staff'. Give --old PICTURE.")
    faces = read_set_faces(chosen, size).permute(0, 2, 3, 1).contiguous().numpy()
    columns = []
    for factor in _SHEET_FACTORS:
        damaged = damaged_faces(faces, factor, 0)
        columns += [damaged, restored_faces(network, damaged, 1)]
    lines = [np.concatenate([column[i] for column in [*columns, faces]], 1) for i in range(len(faces))]
    if old is not None:
        with Image.open(old) as picture:
            side = min(picture.size)
            left, top = (picture.width - side) // 2, (picture.height - side) // 2
            square = picture.convert("RGB").resize((size, size), box=(left, top, left + side, top + side))
        taken = np.array(square)[None]
        line = np.concatenate([taken[0], restored_faces(network, taken, 1)[0]], 1)
        lines.append(np.pad(line, ((0, 0), (0, 5 * size), (0, 0))))
    Image.fromarray(np.concatenate(lines, 0)).save(out)
