"""Installed packages. Each is imported, because an installed package may still be broken."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from importlib import metadata

from gpen_fast.doctor.findings import ABSENT, BROKEN, OK, Finding
from gpen_fast.errors import summary
from gpen_fast.plugins.install import OPENCV_PACKAGES, PACKAGES, import_failure, lacks_library

_OURS = "gpen-fast"
# A line of this package's requirements: the name, and the extra that asks for it.
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:.*\bextra\s*==\s*['\"](?P<extra>[^'\"]+))?"
)
_MODULES = {package: module for module, package in PACKAGES.items()}
_FOR_DEVELOPERS = {"test", "dev"}


def required_packages() -> Iterator[Finding]:
    """Tries the packages that every installation has."""
    for name, extra in _requirements():
        if extra is None:
            yield _tried(name, f"pip install {name}", needed=True)


def optional_packages() -> Iterator[Finding]:
    """Tries the packages that the extras add, each once."""
    seen = set()
    for name, extra in _requirements():
        if extra is not None and extra not in _FOR_DEVELOPERS and name not in seen:
            seen.add(name)
            yield _tried(name, f"pip install '{_OURS}[{extra}]'", needed=False)


def _requirements() -> list[tuple[str, str | None]]:
    """The names of the required packages, each with the extra that asks for it; extras of extras are left out."""
    found = [_REQUIREMENT.match(line) for line in metadata.requires(_OURS) or []]
    return [(match["name"].lower(), match["extra"]) for match in found if match and match["name"] != _OURS]


def _tried(name: str, install: str, needed: bool) -> Finding:
    # Each of OpenCV's packages installs the same module; requirements cannot name alternatives.
    for installed in OPENCV_PACKAGES if name in OPENCV_PACKAGES else (name,):
        try:
            version = metadata.version(installed)
        except metadata.PackageNotFoundError:
            continue
        return _imported(installed, version, install, needed)
    return Finding(
        "packages", name, BROKEN if needed else ABSENT, "not installed", needed=needed, mend=install
    )


def _imported(name: str, version: str, install: str, needed: bool) -> Finding:
    module = _MODULES.get("opencv-python" if name in OPENCV_PACKAGES else name, name.replace("-", "_"))
    try:
        importlib.import_module(module)
    except (ImportError, OSError) as error:
        if lacks_library(error):  # installing the package again does not bring it
            cause, cure = import_failure(error)
            return Finding("packages", name, BROKEN, f"{version}: {cause}", needed=needed, mend=cure)
        return _broken(name, version, error, install, needed)
    except Exception as error:  # importing a package runs its code, which can raise anything
        return _broken(name, version, error, install, needed)
    return Finding("packages", name, OK, version, needed=needed)


def _broken(name: str, version: str, error: Exception, install: str, needed: bool) -> Finding:
    text = f"{version} is installed and cannot be imported: {summary(error)}"
    again = install.replace("pip install", "pip install --force-reinstall")
    return Finding("packages", name, BROKEN, text, needed=needed, mend=again)
