"""The contact sheet: damaged, restored and original faces side by side, for looking."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.training.metrics import damaged_faces, restored_faces


def contact_sheet(
    network: Callable[[Tensor], Tensor], faces: NDArray[np.uint8], factors: tuple[float, ...]
) -> NDArray[np.uint8]:
    """One row a face of (N,S,S,3) uint8: damaged and restored at every factor, then the original."""
    columns = []
    for factor in factors:
        damaged = damaged_faces(faces, factor, seed=0)
        columns += [damaged, restored_faces(network, damaged, batch=1)]
    columns.append(faces)
    rows = [np.concatenate([column[i] for column in columns], axis=1) for i in range(len(faces))]
    return np.concatenate(rows, axis=0)
