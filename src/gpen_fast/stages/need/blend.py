"""Blend: as much of each restored face as its source needs, by frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from gpen_fast.image.bands import weighted_bands
from gpen_fast.image.colour import brightness, to_8bit_scale, to_depth
from gpen_fast.settings import PasteOptions
from gpen_fast.stages.need.figures import figures
from gpen_fast.stages.need.regressor import regressor
from gpen_fast.types import TOPS, FaceBatch, Frame

# A face of which no band would be used by more than this share is left as it is.
_LEFT = 0.1
# Sides of the copies in which a result must resemble its crop: means over 8, 16 and 32 pixels of a crop of 256.
_AGREEMENT_SIDES = (32, 16, 8)
# Difference, as a part of the crop's own variance there: up to the first it is trusted, from the second on it is not.
_TRUSTED, _REFUSED = 0.1, 0.25
# Variance, 8-bit scale, that the crop is taken to have at least: in a face of almost one colour any change is large.
_LEAST_VARIANCE = 60.0
# Mean squared change, 8-bit scale, below which a network returned its input.
_LEAST_CHANGE = 0.25
# Of the bands, those whose colour the network may change under keep-colour: the two finest.
_COLOUR_BANDS = 2


@dataclass(frozen=True, eq=False)
class FaceUse:
    """How much of their restorations the faces of one picture received."""

    shares: Tensor
    """(B,) float32 in 0..1: the largest over the frequency bands."""

    agrees: Tensor
    """(B,) bool: the restoration resembles its crop at low frequencies. True of each face where none is left as it is
    and the need was known."""

    def kept(self) -> tuple[int, int]:
        """Faces left as they are, and those of them whose restoration does not resemble them.

        The first call waits for the device.
        """
        return self._kept

    @cached_property
    def _kept(self) -> tuple[int, int]:
        kept = self.shares == 0
        both: list[int] = torch.stack([kept.sum(), (kept & ~self.agrees).sum()]).tolist()
        return both[0], both[1]

    def note(self) -> str:
        """Which faces are left as they are, and why, as sentences for the user; empty where none is."""
        kept, unlike = self.kept()
        total, notes = len(self.shares), []
        if kept > unlike:
            notes.append(
                f"{kept - unlike} of {_faces(total)} left as found: finer and cleaner than the network's result. "
                "--keep-detail 0 uses that result."
            )
        if unlike:
            notes.append(
                f"{unlike} of {_faces(total)} left as found: the network's result does not resemble the face. "
                "Try another --model."
            )
        return " ".join(notes)


@dataclass(frozen=True, eq=False)
class Blend:
    """How each restored face of a picture goes back into it: `share` of the picture's pixels plus `layer`."""

    layers: tuple[Tensor, ...]
    """(1|3,S,S) float32 each, on the scale of the picture's depth."""

    shares: Tensor
    """(B,) float32 in 0..1: of the picture's own pixels."""

    use: FaceUse
    """How much of each restoration is in it."""

    is_averaged: bool = False
    """The picture's own share is averaged along tracks: faces that are left as found change too."""

    @property
    def known_to_change_nothing(self) -> bool:
        """Whether every face is left as found. False on a GPU, where an answer would wait for the device."""
        if self.is_averaged or self.shares.device.type != "cpu":
            return False
        return self.use.kept()[0] == len(self.shares)

    def whole(self, crop: Tensor) -> Tensor:
        """The first face where the picture is its crop: (3,S,S) in the depth of `crop`, which is (3,S,S) too."""
        return to_depth(self.layers[0] + self.shares[0] * crop.float(), crop.dtype)


def blend(
    frame: Frame,
    crops: FaceBatch,
    restored: Sequence[Tensor],
    options: PasteOptions,
    need: Tensor | None = None,
    own: Tensor | None = None,
) -> Blend:
    """Weighs the restored faces of one picture.

    Args:
        frame: The picture.
        crops: Its B faces before the network.
        restored: (3,S,S) each, in the frame's depth: the same faces after it.
        options: How much of the detail and of the colour is kept.
        need: What `measured_need` gives, where it is known: (B,1+BANDS).
        own: (B,3,S,S) in the frame's depth: the faces as the picture has them, where `crops` are averages over frames.
            What the averages differ by from these is then added to the picture's own share.
    """
    before, after = to_8bit_scale(crops.pixels), to_8bit_scale(torch.stack(list(restored)))
    trust, change = None, after - before
    if need is None:
        trust = agreement(before, after)
        need = _need(frame, crops, before, trust, change)
    weights = 1 - options.keep_detail * (1 - need)
    # What counts as left as found is left to the pixel.
    weights = weights * (weights.amax(dim=1, keepdim=True) > _LEFT)
    shares = weights.amax(dim=1)
    if trust is None:
        # Only of faces that are left as they are is it asked whether the network's result resembles them.
        unasked = shares.device.type == "cpu" and bool((shares > 0).all())
        trust = torch.ones_like(shares) if unasked else agreement(before, after)
    if frame.pixels.shape[0] == 1:
        before, change = before[:, :1], brightness(after) - before[:, :1]
    changed = _changed(change, weights[:, 1:], options.keep_colour and before.shape[1] == 3)
    layers = changed.addcmul_(weights[:, :1, None, None], before)
    if own is not None:
        averaged = before - to_8bit_scale(own)[:, : before.shape[1]]
        layers.addcmul_(1 - weights[:, :1, None, None], averaged)
    if crops.pixels.dtype != torch.uint8:
        layers *= TOPS[crops.pixels.dtype] / TOPS[torch.uint8]
    use = FaceUse(shares, trust > 0)
    return Blend(tuple(layers), 1 - weights[:, 0], use, own is not None)


def measured_need(frame: Frame, crops: FaceBatch, restored: Sequence[Tensor]) -> Tensor:
    """How much of each restoration its face needs: (B,1+BANDS) float32 in 0..1, by frequency.

    Args:
        frame: The picture.
        crops: Its B faces before the network.
        restored: (3,S,S) each, in the frame's depth: the same faces after it.
    """
    before, after = to_8bit_scale(crops.pixels), to_8bit_scale(torch.stack(list(restored)))
    return _need(frame, crops, before, agreement(before, after), after - before)


def _need(frame: Frame, crops: FaceBatch, before: Tensor, trust: Tensor, change: Tensor) -> Tensor:
    """`measured_need` of crops on the scale of 8 bits, whose results are trusted so far and change so much."""
    usable = trust * _restores(change)
    return regressor(before.device)(figures(frame, crops.matrices, before)) * usable[:, None]


def _faces(number: int) -> str:
    return f"{number} face" if number == 1 else f"{number} faces"


def _changed(change: Tensor, weights: Tensor, keep_colour: bool) -> Tensor:
    """(B,C,S,S): the weighted bands of the change; with `keep_colour` without the coarse bands of its colour."""
    if not keep_colour:
        return weighted_bands(change, weights)
    bright = brightness(change)
    fine = (torch.arange(weights.shape[1], device=weights.device) < _COLOUR_BANDS).float()
    return weighted_bands(bright, weights) + weighted_bands(change - bright, weights * fine)


def agreement(crops: Tensor, restored: Tensor) -> Tensor:
    """How far low frequencies of results may be trusted.

    A network that restores a face changes its detail; where it also moves light and shade by a large part of their own
    contrast, it shows something else. The level that disagrees most decides.

    Args:
        crops: (B,3,S,S) uint8 or uint16, or float32 on the scale of 8 bits.
        restored: The same, after the network.

    Returns:
        (B,) float32 in 0..1.
    """
    before, after = to_8bit_scale(crops), to_8bit_scale(restored)
    trust = []
    for side in _AGREEMENT_SIDES:
        before, after = (F.adaptive_avg_pool2d(each, side) for each in (before, after))
        variance = before.var(dim=(2, 3), correction=0).mean(dim=1).clamp_min(_LEAST_VARIANCE)
        moved = (after - before).square().mean(dim=(1, 2, 3)) / variance
        trust.append(((_REFUSED - moved) / (_REFUSED - _TRUSTED)).clamp(0, 1))
    return torch.stack(trust).amin(dim=0)


def _restores(change: Tensor) -> Tensor:
    """(B,) bool: the network changed more than rounding does; else there is nothing to use."""
    return change.square().mean(dim=(1, 2, 3)) > _LEAST_CHANGE
