"""How alike pairs of pictures are: PSNR, SSIM, and the metrics of other packages where they are installed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from gpen_fast.errors import PictureError, PluginError, kind_and_line, reason
from gpen_fast.image.blind import BlindMetric, PairMetric, open_lpips, open_niqe
from gpen_fast.image.likeness import psnr, ssim
from gpen_fast.measure.stats import DECIMALS
from gpen_fast.settings import MAX_PIXELS
from gpen_fast.stages.load import load
from gpen_fast.types import Frame

# An 8-bit value times this is the 16-bit value of the same brightness.
_TO_16_BITS = 257


@dataclass(frozen=True)
class LikenessRow:
    """One pair of pictures. A figure that is None could not be measured."""

    a: str
    """The first picture's path."""
    b: str
    """The second picture's path."""
    identical: bool = False
    """Every pixel is equal; the PSNR is infinite then, and None here."""
    psnr: float | None = None
    """dB over all values of the three colour channels."""
    ssim: float | None = None
    """Mean over the colour channels."""
    lpips: float | None = None
    """By AlexNet's features: 0 for equal pictures."""
    niqe_a: float | None = None
    """NIQE of the first picture: lower is better."""
    niqe_b: float | None = None
    """NIQE of the second picture."""
    note: str = ""
    """What a user may not expect: one or more sentences."""
    error: str = ""
    """Why the pair could not be compared, in one line."""


@dataclass(frozen=True)
class OptionalMetrics:
    """The metrics of other packages, opened."""

    niqe: BlindMetric | None = None
    """None where it is not available."""
    lpips: PairMetric | None = None
    """None where it is not available."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why a metric is not available, by its name."""


def open_metrics() -> OptionalMetrics:
    """Opens NIQE and LPIPS where they are installed. Weights are never fetched."""
    missing: dict[str, str] = {}
    niqe: BlindMetric | None = None
    lpips: PairMetric | None = None
    try:
        niqe = open_niqe()
    except PluginError as error:
        missing["niqe"] = str(error)
    try:
        lpips = open_lpips()
    except PluginError as error:
        missing["lpips"] = str(error)
    return OptionalMetrics(niqe, lpips, missing)


def likeness_of(a: Path, b: Path, metrics: OptionalMetrics, *, max_pixels: int = MAX_PIXELS) -> LikenessRow:
    """Compares two files. What cannot be compared is the row's error; what cannot be measured is None in it."""
    row = LikenessRow(str(a), str(b))
    frames = []
    for path in (a, b):
        try:
            frames.append(load(path, torch.device("cpu"), max_pixels=max_pixels))
        except (PictureError, OSError) as error:
            return replace(row, error=f"{path}: {reason(error, path)}")
    first, second = frames
    if (first.width, first.height) != (second.width, second.height):
        return replace(
            row,
            error=f"the sizes differ: {first.width} x {first.height} and {second.width} x {second.height} pixels.",
        )
    pixels, note = _alike(first, second)
    return _measured(replace(row, note=note), *pixels, metrics)


def mean_row(rows: Iterable[LikenessRow]) -> dict[str, float | None]:
    """The mean of each figure over the pairs that have it; identical pairs have no PSNR."""
    listed = list(rows)
    means: dict[str, float | None] = {}
    for name in ("psnr", "ssim", "lpips", "niqe_a", "niqe_b"):
        known = [value for row in listed if (value := getattr(row, name)) is not None]
        means[name] = round(fmean(known), DECIMALS) if known else None
    return means


def _measured(row: LikenessRow, a: Tensor, b: Tensor, metrics: OptionalMetrics) -> LikenessRow:
    """The row with every figure that can be measured."""
    notes = [row.note] if row.note else []
    noise = psnr(a, b)
    first, second = _eight_bits(a), _eight_bits(b)

    def figure(name: str, measure: Callable[[], float]) -> float | None:
        try:
            value = measure()
        except PictureError as error:
            notes.append(str(error))
            return None
        # Another package's code fails in its own ways on pictures it was not made for; the other figures stand.
        except Exception as error:
            notes.append(f"{name} cannot be measured here: {kind_and_line(error)}.")
            return None
        return round(value, DECIMALS) if math.isfinite(value) else None

    niqe, lpips = metrics.niqe, metrics.lpips
    made = replace(
        row,
        identical=math.isinf(noise),
        psnr=round(noise, DECIMALS) if math.isfinite(noise) else None,
        ssim=figure("SSIM", lambda: ssim(a, b)),
        lpips=figure("LPIPS", lambda: lpips(first, second)) if lpips else None,
        niqe_a=figure("NIQE", lambda: niqe(first)) if niqe else None,
        niqe_b=figure("NIQE", lambda: niqe(second)) if niqe else None,
    )
    return replace(made, note=" ".join(dict.fromkeys(notes)))


def _alike(a: Frame, b: Frame) -> tuple[tuple[Tensor, Tensor], str]:
    """Both pictures as (3,H,W) of one depth, and what was done for it."""
    notes = []
    pixels = [frame.on_host.expand(3, -1, -1) for frame in (a, b)]
    if a.channels != b.channels:
        notes.append("One is grey and the other in colour.")
    if a.pixels.dtype != b.pixels.dtype:
        notes.append("One has 8 bits and the other 16: compared at 16.")
        pixels = [_sixteen_bits(each) for each in pixels]
    if a.alpha is not None or b.alpha is not None:
        which = "Both have" if a.alpha is not None and b.alpha is not None else "One has"
        notes.append(f"{which} transparency, which is not compared.")
    return (pixels[0], pixels[1]), " ".join(notes)


def _sixteen_bits(pixels: Tensor) -> Tensor:
    return pixels if pixels.dtype == torch.uint16 else (pixels.int() * _TO_16_BITS).to(torch.uint16)


def _eight_bits(pixels: Tensor) -> Tensor:
    if pixels.dtype == torch.uint8:
        return pixels.contiguous()
    return ((pixels.int() + _TO_16_BITS // 2) // _TO_16_BITS).to(torch.uint8)
