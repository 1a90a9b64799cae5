"""What a weights file is: by its hash, else by its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpen_fast.errors import CheckpointError, HashError
from gpen_fast.store import records
from gpen_fast.store.catalog import Entry, catalog
from gpen_fast.store.published import name_of

TENSOR_FILES = frozenset({".pth", ".pt", ".safetensors"})


def by_hash(sha256: str) -> Entry | None:
    """The catalogued file of that hash, published or accepted by the user."""
    mine = records.read()
    return next(
        (known for known in catalog().values() if sha256 in (*known.sha256, *mine.hashes(known.name))), None
    )


def network_in(path: Path) -> str:
    """The published network that a checkpoint holds, every tensor checked. Raises CheckpointError; loads torch."""
    from gpen_fast.gpen.checkpoint import build

    return name_of(build(path).config)


def by_tensors(path: Path, sha256: str) -> Entry:
    """The catalogued network of these shapes. Raises CheckpointError, or HashError where only a hash would tell."""
    if path.suffix.lower() not in TENSOR_FILES:
        raise _unknown(path, sha256)
    try:
        name = network_in(path)
    except CheckpointError as cause:
        if not is_valid(path):
            raise
        raise _unknown(path, sha256) from cause
    if name not in catalog():
        raise CheckpointError(
            f"{path}: a GPEN network, but of no published figures ({name}). "
            f"Use it without importing: --weights {path}"
        )
    return catalog()[name]


def is_valid(path: Path) -> bool:
    """Whether it is a checkpoint of plain finite tensors. Raises CheckpointError for code, damage, NaN."""
    from gpen_fast.gpen.checkpoint import read_state_dict

    invalid = [name for name, tensor in _tensors(read_state_dict(path)) if not tensor.isfinite().all()]
    if invalid:
        raise CheckpointError(f"{path}: {len(invalid)} tensors hold NaN or infinity, first {invalid[0]}.")
    return True


def _tensors(state: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Every tensor, those of nested state dicts too."""
    found: list[tuple[str, Any]] = []
    for name, value in state.items():
        if isinstance(value, Mapping):
            found += _tensors(value)
        elif hasattr(value, "isfinite"):
            found.append((name, value))
    return found


def _unknown(path: Path, sha256: str) -> HashError:
    detectors = [name for name, known in catalog().items() if known.kind != "generator"]
    return HashError(
        f"{path} is no file that gpen-fast knows, and no GPEN network.\n  its sha256: {sha256}\n"
        "Detectors are known by their hash only: others of the same shapes load and find wrong boxes. "
        f"If you know what it is and trust it, name it: --trust NAME, with NAME one of {', '.join(detectors)}."
    )
