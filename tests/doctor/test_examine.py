"""Each probe by itself: what it finds where something is missing, broken or wrong."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path

import pytest
import torch

from gpen_fast.device import select
from gpen_fast.doctor import codecs, findings, hardware, packages
from gpen_fast.gpen.cuda.kernels import steps


def test_optional_package_whose_import_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """basicsr does so: it imports a module that torchvision has removed."""
    monkeypatch.setattr(
        packages.metadata, "requires", lambda name: ["torch", "basicsr>=1; extra == 'metrics'"]
    )
    monkeypatch.setattr(packages.metadata, "version", lambda name: "1.4.2")
    real = importlib.import_module

    def import_module(name: str):
        if name == "basicsr":
            raise ModuleNotFoundError("No module named 'torchvision.transforms.functional_tensor'")
        return real(name)

    monkeypatch.setattr(packages.importlib, "import_module", import_module)
    (found,) = packages.optional_packages()
    assert found.state == "broken"
    assert not found.needed
    assert "1.4.2 is installed and cannot be imported: ModuleNotFoundError: No module named" in found.text
    assert found.mend == "pip install --force-reinstall 'gpen-fast[metrics]'"


def test_packages_come_from_the_requirements() -> None:
    names = {one.name for one in packages.required_packages()}
    assert {"torch", "opencv-python", "requests", "platformdirs"} <= names
    optional = {one.name: one for one in packages.optional_packages()}
    assert "basicsr" in optional
    assert not {"pytest", "ruff"} & set(optional)
    if optional["basicsr"].state == "absent":
        assert optional["basicsr"].mend == "pip install 'gpen-fast[metrics]'"


def test_precision_that_computes_wrongly_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_error_of", lambda name, where: 0.5)
    fp32 = next(one for one in hardware.precisions("cpu") if one.name == "fp32")
    assert fp32.state == "broken"
    assert fp32.needed
    assert "wrong results, accepted is at most 1e-05" in fp32.text


@pytest.mark.parametrize(
    ("why", "state", "text"),
    [
        ("", "ok", "compiled, and equal to torch"),
        ("No module named 'triton'", "broken", "No module named 'triton'"),
    ],
)
def test_kernels_are_told_of_on_a_gpu(
    why: str, state: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select, "pick_device", lambda asked: torch.device("cuda", 0))
    monkeypatch.setattr(steps, "trouble", lambda where, dtype: why)
    (found,) = hardware.kernels("auto")
    assert (found.state, found.text, found.needed) == (state, text, False)
    assert bool(found.mend) == bool(why)


def test_kernels_are_no_matter_on_a_cpu() -> None:
    assert list(hardware.kernels("cpu")) == []


def test_precisions_are_really_run() -> None:
    errors = {name: hardware._error_of(name, torch.device("cpu")) for name in ("fp32", "bf16")}
    assert 0 < errors["fp32"] < 1e-6
    assert 1e-4 < errors["bf16"] < 3e-2, "bf16 is not fp32 under another name"


@pytest.mark.cuda
def test_precisions_on_cuda() -> None:
    found = {one.name: one for one in hardware.precisions("cuda")}
    assert {name for name, one in found.items() if one.state == "ok"} >= {"fp32", "fp16"}
    assert not [one for one in found.values() if one.state == "broken"]
    assert hardware._error_of("tf32", torch.device("cuda")) > 10 * hardware._error_of(
        "fp32", torch.device("cuda")
    )


def test_driver_tool_that_is_missing_or_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (FileNotFoundError(), subprocess.TimeoutExpired("nvidia-smi", 1)):

        def fail(*arguments: object, _error: Exception = error, **named: object) -> None:
            raise _error

        monkeypatch.setattr(subprocess, "run", fail)
        monkeypatch.setattr(Path, "is_file", lambda self: False)
        assert hardware._driver() is None


def test_codec_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(picture: object, kind: str) -> object:
        if kind in {"AVIF", "PNG"}:
            raise OSError("encoder not available")
        return picture

    monkeypatch.setattr(codecs, "_pillow", refuse)
    pillow = next(one for one in codecs.probe("cpu") if one.name == "Pillow")
    assert pillow.state == "broken", "without PNG nothing can be saved"
    assert pillow.text == "reads and writes JPEG, WEBP, TIFF, BMP, JPEG2000; not PNG, AVIF"
    assert not findings.works([pillow])


def test_what_is_installed_is_found_under_its_modules_name() -> None:
    """A distribution and its module may be called differently (scikit-image, skimage)."""
    found = [*packages.required_packages(), *packages.optional_packages()]
    broken = [one.text for one in found if one.state == "broken" and "No module named" in one.text]
    assert not broken
