"""Identifies a weights file by its hash, else by the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gpen_fast.errors import CheckpointError, HashError
from gpen_fast.store import records
from gpen_fast.store.catalog import CatalogEntry, catalog
from gpen_fast.store.published import name_of

if TYPE_CHECKING:
    from torch import Tensor

TENSOR_FILES = frozenset({".pth", ".pt", ".safetensors"})


def by_hash(sha256: str) -> CatalogEntry | None:
    """Returns the catalogued file with that hash, published or accepted by the user; None if there is none."""
    record = records.read_records()
    return next(
        (known for known in catalog().values() if sha256 in (*known.sha256, *record.hashes(known.name))), None
    )


def network_in(path: Path) -> str:
    """Returns the name of the published network that a checkpoint holds; every tensor is checked. Loads torch.

    Raises:
        CheckpointError: The file is no checkpoint of a GPEN generator.
    """
    from gpen_fast.gpen.checkpoint import build

    return name_of(build(path).config)


def by_tensors(path: Path, sha256: str) -> CatalogEntry:
    """Returns the catalogued network whose tensors have the file's shapes.

    Args:
        path: The file.
        sha256: Its hash, for the messages.

    Raises:
        CheckpointError: The file is damaged, holds code or NaN, or is a network that is not published.
        HashError: The file is not a GPEN network, so only its hash could identify it.
    """
    if path.suffix.lower() not in TENSOR_FILES:
        raise _unknown(path, sha256)
    try:
        name = network_in(path)
    except CheckpointError as cause:
        check_tensors(path)
        raise _unknown(path, sha256) from cause
    if name not in catalog():
        raise CheckpointError(
            f"{path}: a GPEN network, but its size and widths are of no published one ({name}). "
            f"Use it without importing: --weights {path}"
        )
    return catalog()[name]


def check_tensors(path: Path) -> None:
    """Checks that a file is a checkpoint of finite tensors and nothing else.

    Raises:
        CheckpointError: The file is damaged, holds code, or a tensor holds NaN or infinity.
    """
    from gpen_fast.gpen.checkpoint import read_state_dict

    invalid = [name for name, tensor in _tensors(read_state_dict(path)) if not tensor.isfinite().all()]
    if invalid:
        raise CheckpointError(
            f"{path}: {len(invalid)} tensors hold NaN or infinity, the first is {invalid[0]}. Fetch it again."
        )


def _tensors(state: Mapping[str, object]) -> Iterator[tuple[str, Tensor]]:
    """Every tensor with its name, including those of nested state dicts."""
    from torch import Tensor

    for name, value in state.items():
        if isinstance(value, Mapping):
            yield from _tensors(value)
        elif isinstance(value, Tensor):
            yield name, value


def _unknown(path: Path, sha256: str) -> HashError:
    detectors = [name for name, known in catalog().items() if known.kind != "generator"]
    return HashError(
        f"{path} is not a file that gpen-fast knows, and not a GPEN network.\n  its sha256: {sha256}\n"
        "A detector is identified by its hash only: another file of the same shapes loads and detects wrong boxes. "
        f"If you trust this file, name it: --trust NAME, with NAME one of {', '.join(detectors)}."
    )
