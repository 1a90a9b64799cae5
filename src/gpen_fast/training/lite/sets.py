"""The sets of portraits: which faces train, which are held out, and how much each set counts.

A set is a folder with a manifest.csv. A set whose manifest holds faces out is taken as it says. Of any other set,
`HELD_OUT_FACES` are held out: whole sources as far as they fit, because people of one source meet in its pictures,
and then whole pictures with all their people.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gpen_fast.errors import InputsError

HELD_OUT_FACES = 60
"""Faces held out of a set whose manifest holds none out."""
_TRAIN, _HELD_OUT = "train", "held-out"
_COLUMNS = ("file", "kind", "person", "licence", "basis", "source", "split")


@dataclass(frozen=True)
class SetRow:
    """One face of a set, as its manifest describes it."""

    file: Path
    """The picture."""

    kind: str
    """`staff` shows people who are no public officials and must not be published."""

    person: str
    """Who it shows: the same word for the same person."""

    licence: str
    """The licence of the picture."""

    basis: str
    """How the licence is known, with the attribution where one is asked for."""

    source: str
    """The repository that it comes from, and the file there."""

    held_out: bool
    """Whether the face is kept from the training."""

    @property
    def repository(self) -> str:
        """The source without the file."""
        return self.source.split(" ", 1)[0]


def read_sets(folders: Sequence[Path]) -> list[list[SetRow]]:
    """Reads the manifests of several sets and decides what is held out.

    No person is both trained on and held out, as far as the manifests tell: a training row is left out whose person
    is held out in any set, or whose picture is held out in another set, where the same people may have other names.

    Args:
        folders: The sets' folders.

    Returns:
        The rows of each set.

    Raises:
        InputsError: A folder has no manifest, or its manifest lacks a column or rows.
    """
    sets = [_read_set(folder) for folder in folders]
    chosen = []
    for i, rows in enumerate(sets):
        if any(row.held_out for row in rows):
            chosen.append(rows)
            continue
        elsewhere = {row.repository for j, other in enumerate(sets) if j != i for row in other}
        files = _held_out_files(rows, min(HELD_OUT_FACES, len(rows) // 4), elsewhere)
        chosen.append([replace(row, held_out=row.file in files) for row in rows])
    people = {row.person for rows in chosen for row in rows if row.held_out}
    kept = []
    for i, rows in enumerate(chosen):
        others = {row.source for j, other in enumerate(chosen) if j != i for row in other if row.held_out}
        kept.append(
            [row for row in rows if row.held_out or not (row.person in people or row.source in others)]
        )
    return kept


def _read_set(folder: Path) -> list[SetRow]:
    path = folder / "manifest.csv"
    if not path.is_file():
        raise InputsError(f"{path}: no such file. A set is a folder of aligned faces and manifest.csv.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = sorted(set(_COLUMNS) - set(reader.fieldnames or ()))
        if missing:
            raise InputsError(f"{path}: no column {missing[0]!r}. Needed are {', '.join(_COLUMNS)}.")
        rows = [_set_row(folder, row) for row in reader]
    if not rows:
        raise InputsError(f"{path}: no rows. A set needs at least one face.")
    return rows


def _set_row(folder: Path, row: dict[str, str]) -> SetRow:
    words = (row["kind"], row["person"], row["licence"], row["basis"], row["source"])
    return SetRow(folder / row["file"], *words, held_out=row["split"] == _HELD_OUT)


def _held_out_files(rows: list[SetRow], number: int, elsewhere: set[str]) -> set[Path]:
    """The files of `number` faces: small repositories whole while they fit, then groups of the others in turn.

    Small ones first give the most sources. What depends on an order follows the names' hashes, so nothing but the
    manifest decides. A repository that another set has too is not touched: its people may be trained on there.
    """
    sources: dict[str, list[SetRow]] = defaultdict(list)
    for row in rows:
        if row.repository not in elsewhere:
            sources[row.repository].append(row)
    chosen: list[SetRow] = []
    left = []
    for name in sorted(sources, key=lambda name: (len(sources[name]), _hash(name))):
        if len(chosen) + len(sources[name]) <= number:
            chosen += sources[name]
        else:
            left.append(_groups(sources[name]))
    for group in (group for turn in zip_longest(*left, fillvalue=[]) for group in turn):
        if len(chosen) + len(group) <= number:
            chosen += group
    return {row.file for row in chosen}


def _groups(rows: Iterable[SetRow]) -> list[list[SetRow]]:
    """The rows of one source in groups that share a person or a picture, by the hashes of the pictures' names."""
    group_of: dict[str, list[SetRow]] = {}
    for row in rows:
        words = (f"person {row.person}", f"picture {row.source}")
        joined = [row]
        for group in {id(group_of[word]): group_of[word] for word in words if word in group_of}.values():
            joined += group
        for each in joined:
            group_of[f"person {each.person}"] = group_of[f"picture {each.source}"] = joined
    groups = {id(group): group for group in group_of.values()}.values()
    return sorted(groups, key=lambda group: min(_hash(row.source) for row in group))


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


@dataclass(frozen=True)
class FaceStore:
    """Faces as uint8 on the device that trains, with the probability of each."""

    faces: Tensor
    """(N,3,S,S) uint8 RGB."""

    shares: Tensor
    """(N,) float32, sum 1: how often each face is drawn. Sets count alike, whatever their sizes."""


def open_store(sets: Sequence[Sequence[SetRow]], size: int, device: torch.device) -> FaceStore:
    """Decodes the training faces of the sets.

    Args:
        sets: The rows of each set; held-out ones are left out.
        size: Side of the faces in pixels.
        device: Where the faces are kept.

    Raises:
        InputsError: A picture is missing, cannot be read, or has another size.
    """
    chosen = [[row for row in rows if not row.held_out] for rows in sets]
    faces = torch.cat([read_set_faces(rows, size) for rows in chosen])
    shares = torch.cat([torch.full((len(rows),), 1 / len(rows) / len(chosen)) for rows in chosen])
    return FaceStore(faces.to(device), shares.to(device))


def read_set_faces(rows: Sequence[SetRow], size: int) -> Tensor:
    """Decodes faces.

    Args:
        rows: The rows to decode.
        size: Side of the faces in pixels.

    Returns:
        (N,3,S,S) uint8 RGB on the CPU.

    Raises:
        InputsError: A picture is missing, cannot be read, or has another size.
    """
    from PIL import Image

    faces = torch.empty((len(rows), 3, size, size), dtype=torch.uint8)
    for face, row in zip(faces, rows, strict=True):
        try:
            with Image.open(row.file) as picture:
                pixels = np.array(picture.convert("RGB"))
        except OSError as cause:
            raise InputsError(f"{row.file}: not readable: {cause}") from cause
        if pixels.shape != (size, size, 3):
            came = f"{pixels.shape[1]}x{pixels.shape[0]}"
            raise InputsError(f"{row.file}: {came} pixels, accepted are {size}x{size} pixels.")
        face.copy_(torch.from_numpy(pixels).permute(2, 0, 1))
    return faces
