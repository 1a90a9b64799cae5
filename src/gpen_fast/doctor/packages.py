"""Installed packages. Each is imported, because an installed package may still be broken."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from importlib import metadata

from gpen_fast.doctor.findings import ABSENT, BROKEN, OK, Finding
from gpen_fast.errors import summary
from gpen_fast.plugins.install import PACKAGES

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
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        state = BROKEN if needed else ABSENT
        return Finding("packages", name, state, "not installed", needed=needed, mend=install)
    try:
        importlib.import_module(_MODULES.get(name, name.replace("-", "_")))
    except Exception as error:  # importing a package runs its code, which can raise anything
        text = f"{version} is installed and cannot be imported: {summary(error)}"
        again = install.replace("pip install", "pip install --force-reinstall")
        return Finding("packages", name, BROKEN, text, needed=needed, mend=again)
    return Finding("packages", name, OK, version, needed=needed)
