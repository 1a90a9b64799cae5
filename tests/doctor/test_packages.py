"""Packages are found by the requirements, and imported."""

from __future__ import annotations

import importlib

import pytest

from gpen_fast.doctor import packages


def test_optional_package_whose_import_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As basicsr does, which imports a module that torchvision has removed."""
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


def test_installed_packages_are_imported_by_the_names_of_their_modules() -> None:
    """A distribution and its module may have different names (scikit-image, skimage)."""
    found = [*packages.required_packages(), *packages.optional_packages()]
    broken = [one.text for one in found if one.state == "broken" and "No module named" in one.text]
    assert not broken


@pytest.mark.parametrize("installed", ["opencv-python-headless", "opencv-contrib-python"])
def test_each_of_opencvs_packages_counts(monkeypatch: pytest.MonkeyPatch, installed: str) -> None:
    def version(name: str) -> str:
        if name == installed:
            return "4.14.0.94"
        raise packages.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(packages.metadata, "requires", lambda name: ["opencv-python>=4.10"])
    monkeypatch.setattr(packages.metadata, "version", version)
    (found,) = packages.required_packages()
    assert (found.name, found.state, found.text) == (installed, "ok", "4.14.0.94")


def test_a_library_that_the_system_lacks_is_not_mended_by_pip_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> None:
        raise ImportError(
            "libxcb.so.1: cannot open shared object file: No such file or directory", name="cv2"
        )

    monkeypatch.setattr(packages.metadata, "requires", lambda name: ["opencv-python>=4.10"])
    monkeypatch.setattr(packages.metadata, "version", lambda name: "4.14.0.94")
    monkeypatch.setattr(packages.importlib, "import_module", import_module)
    (found,) = packages.required_packages()
    assert found.text == "4.14.0.94: OpenCV needs the system library libxcb.so.1, which is not installed"
    assert found.mend.startswith("apt-get install libgl1 libglib2.0-0")
    assert found.mend.endswith("pip install opencv-python-headless")
