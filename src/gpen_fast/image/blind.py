"""Quality metrics of other packages, where they are installed: NIQE by basicsr, LPIPS by lpips or torchmetrics."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from gpen_fast.errors import PluginError, kind_and_line

# The features of LPIPS: the network that its authors advise for measuring. torchvision keeps it under this name.
_BACKBONE = "alexnet-owt-7be5be79.pth"
_BACKBONE_URL = f"https://download.pytorch.org/models/{_BACKBONE}"
# What torchvision has removed, and basicsr 1.4.2 imports: a module with one function, which stands elsewhere now.
_GONE = "torchvision.transforms.functional_tensor"

BlindMetric = Callable[[Tensor], float]
PairMetric = Callable[[Tensor, Tensor], float]


def open_niqe() -> BlindMetric:
    """NIQE of one picture, (3,H,W) uint8 RGB in host memory, at least 192 pixels wide and high: lower is better.

    Raises:
        PluginError: basicsr is not installed, or cannot be imported.
    """
    try:
        with _without_noise(), _functional_tensor():
            niqe = importlib.import_module("basicsr.metrics.niqe").calculate_niqe
    except ImportError as error:
        raise PluginError(
            f"NIQE needs the package basicsr, which cannot be imported ({kind_and_line(error)}). "
            "Try: pip install 'gpen-fast[metrics]' (Python 3.12 at the newest)"
        ) from error

    def measured(pixels: Tensor) -> float:
        bgr = pixels.flip(0).permute(1, 2, 0).contiguous().numpy()
        with _without_noise():
            return float(niqe(bgr, crop_border=0))

    return measured


def open_lpips() -> PairMetric:
    """LPIPS of two pictures, (3,H,W) uint8 RGB in host memory, by AlexNet's features: 0 for equal pictures.

    Raises:
        PluginError: Neither lpips nor torchmetrics is installed, or the features' weights are not on this disk.
    """
    opened = _of_lpips if _is_there("lpips") else _of_torchmetrics if _is_there("torchmetrics") else None
    if opened is None:
        raise PluginError("LPIPS needs the package lpips, which is not installed. Try: pip install lpips")
    file = Path(torch.hub.get_dir()) / "checkpoints" / _BACKBONE
    if not file.is_file():
        raise PluginError(
            f"LPIPS needs the weights of AlexNet (233 MB), which are never fetched unasked. Try: curl --create-dirs "
            f"-o {file} {_BACKBONE_URL}"
        )
    with _without_noise():
        metric = opened()

    def measured(a: Tensor, b: Tensor) -> float:
        first, second = ((pixels.float() / 127.5 - 1)[None] for pixels in (a, b))
        with torch.inference_mode(), _without_noise():
            return float(metric(first, second))

    return measured


def _of_lpips() -> Callable[[Tensor, Tensor], Tensor]:
    with contextlib.redirect_stdout(sys.stderr):  # it greets on standard output, which may be a JSON document
        made: Callable[[Tensor, Tensor], Tensor] = importlib.import_module("lpips").LPIPS(
            net="alex", verbose=False
        )
    return made


def _of_torchmetrics() -> Callable[[Tensor, Tensor], Tensor]:
    made: Callable[[Tensor, Tensor], Tensor] = importlib.import_module(
        "torchmetrics.image.lpip"
    ).LearnedPerceptualImagePatchSimilarity(net_type="alex")
    return made


def _is_there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@contextlib.contextmanager
def _functional_tensor() -> Iterator[None]:
    """While the block imports, the module that torchvision has removed is there."""
    if _GONE in sys.modules or importlib.util.find_spec(_GONE) is not None:
        yield
        return
    stand_in = ModuleType(_GONE)
    stand_in.rgb_to_grayscale = importlib.import_module(  # type: ignore[attr-defined]
        "torchvision.transforms.functional"
    ).rgb_to_grayscale
    sys.modules[_GONE] = stand_in
    try:
        yield
    finally:
        del sys.modules[_GONE]


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Keeps deprecation warnings of these packages from the user, who cannot act on them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
