"""Metrics of other packages: each works with its package, and says what it lacks without."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from gpen_fast.errors import PluginError
from gpen_fast.image import blind
from gpen_fast.image.blind import open_lpips, open_niqe

PIXELS = torch.arange(3 * 16 * 16).reshape(3, 16, 16).remainder(256).to(torch.uint8)
GONE = "torchvision.transforms.functional_tensor"


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides what a developer may have installed."""
    for name in ("basicsr", "basicsr.metrics", "basicsr.metrics.niqe", "lpips", "torchmetrics"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(blind, "_is_there", lambda name: False)


def package(monkeypatch: pytest.MonkeyPatch, folder: Path, **files: str) -> None:
    """A package of that name and these files, on the path."""
    for name, text in files.items():
        path = folder.joinpath(*name.split("__"), "__init__.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(folder))


def test_without_basicsr_niqe_names_the_cure(no_packages: None) -> None:
    with pytest.raises(
        PluginError, match=r"NIQE needs the package basicsr, .* pip install 'gpen-fast\[metrics\]'"
    ):
        open_niqe()


def test_basicsr_finds_the_module_that_torchvision_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A package that imports as basicsr 1.4.2 does, and whose NIQE tells what it was given."""
    niqe = "def calculate_niqe(img, crop_border):\n    return float(img[0, 0, 0]) + crop_border\n"
    package(
        monkeypatch, tmp_path, basicsr=f"from {GONE} import rgb_to_grayscale\n", basicsr__metrics="",
        basicsr__metrics__niqe=niqe,
    )  # fmt: skip
    try:
        measured = open_niqe()
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "basicsr"]:
            del sys.modules[name]
    assert GONE not in sys.modules, "the stand-in is there only while basicsr is imported"
    assert measured(PIXELS) == float(PIXELS[2, 0, 0]), "basicsr takes BGR, rows first"


def test_real_niqe_prefers_the_sharp_picture() -> None:
    """Runs where the extra `metrics` is installed."""
    if importlib.util.find_spec("basicsr") is None:
        pytest.skip("basicsr is not installed: the extra metrics")
    measured = open_niqe()
    rng = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (3, 192, 192), dtype=torch.uint8, generator=rng)
    assert math.isfinite(measured(noise))


def test_without_lpips_its_name_and_the_cure(no_packages: None) -> None:
    with pytest.raises(PluginError, match="LPIPS needs the package lpips, which is not installed"):
        open_lpips()


@pytest.mark.parametrize("name", ["lpips", "torchmetrics"])
def test_lpips_never_fetches_its_features(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    no_packages: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened: list[object] = []

    def metric(**options: object) -> object:
        sys.stdout.write("Loading model")
        opened.append(options)
        return lambda a, b: (a - b).abs().mean()

    found = {
        "lpips": ("lpips", SimpleNamespace(LPIPS=metric)),
        "torchmetrics": (
            "torchmetrics.image.lpip", SimpleNamespace(LearnedPerceptualImagePatchSimilarity=metric),
        ),
    }  # fmt: skip
    module, content = found[name]
    stand_in = ModuleType(module)
    stand_in.__dict__.update(vars(content))
    monkeypatch.setitem(sys.modules, module, stand_in)
    monkeypatch.setattr(blind, "_is_there", lambda asked: asked == name)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(PluginError, match=r"weights of AlexNet \(233 MB\), which are never fetched unasked"):
        open_lpips()
    assert opened == []
    file = tmp_path / "hub/checkpoints/alexnet-owt-7be5be79.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    measured = open_lpips()
    assert measured(PIXELS, PIXELS) == 0.0
    black, white = torch.zeros_like(PIXELS), torch.full_like(PIXELS, 255)
    assert measured(black, white) == pytest.approx(2.0), "LPIPS takes values from -1 to 1"
    assert capsys.readouterr().out == "" or name == "torchmetrics"
