"""A contact sheet of restorations: damaged, restored and original faces side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpen_fast.training.metrics import Restore, damaged_faces, restored_faces


def restoration_sheet(
    network: Restore, faces: NDArray[np.uint8], factors: tuple[float, ...]
) -> NDArray[np.uint8]:
    """Draws the sheet.

    Args:
        network: The network.
        faces: (N,S,S,3) RGB uint8 originals, one for each row of the sheet.
        factors: Downscale factors of the damage.

    Returns:
        (N*S, (2*len(factors)+1)*S, 3) RGB uint8: in each row the damaged and the restored face at every factor, then
        the original.
    """
    columns = []
    for factor in factors:
        damaged = damaged_faces(faces, factor, seed=0)
        columns += [damaged, restored_faces(network, damaged, batch=1)]
    columns.append(faces)
    rows = [np.concatenate([column[i] for column in columns], axis=1) for i in range(len(faces))]
    return np.concatenate(rows, axis=0)
