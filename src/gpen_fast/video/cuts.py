"""Where one scene ends and the next begins: two small pictures that no shift makes alike."""

from __future__ import annotations

import cv2
import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray

from gpen_fast.image.colour import to_8bit_scale
from gpen_fast.types import Frame
from gpen_fast.video.film_frame import FilmFrame, sparse_step

Thumbnail = NDArray[np.float32]

# Side of a thumbnail, pixels, and how far it may be shifted against the next: a quick pan is no cut.
_SIDE, _SHIFT = 32, 4
# Correlation below which two thumbnails show different scenes: brightness and contrast have no part in it.
_ALIKE = 0.75
# Deviation, grey levels, below which a thumbnail shows nothing, as at the end of a fade: nothing is cut there.
_FLAT = 2.0


def thumbnail(frame: Frame) -> Thumbnail:
    """(32,32) float32: the frame's brightness, 0..255; of large frames not each pixel counts."""
    if isinstance(frame, FilmFrame):
        return frame.brightness(_SIDE)
    step = sparse_step(frame.pixels.shape, _SIDE)
    small = F.adaptive_avg_pool2d(
        to_8bit_scale(frame.pixels[:, ::step, ::step]).mean(dim=0, keepdim=True), _SIDE
    )
    return np.asarray(small[0].cpu().numpy(), dtype=np.float32)


def is_cut(before: Thumbnail, after: Thumbnail) -> bool:
    """Whether the second thumbnail shows another scene than the first, which may have moved a little."""
    if min(before.std(), after.std()) < _FLAT:
        return False
    inner = before[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT]
    return float(cv2.matchTemplate(after, inner, cv2.TM_CCOEFF_NORMED).max()) < _ALIKE
