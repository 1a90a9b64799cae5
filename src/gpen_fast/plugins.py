"""Plug-ins are files: a folder's module names, `_` as `-`, are the values a user may name. Imports no torch."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

from gpen_fast.errors import PluginError

_ROOT = Path(__file__).parent
# What a plug-in's file offers.
_OFFERS = re.compile(r"^def (create|encode)\(", re.MULTILINE)
_WORDS = {"detect": "detector", "generate": "backend", "save": "format"}
_OURS = "gpen-fast"
# Module to package, where the names differ: an absent package cannot be asked for its modules.
PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "pillow_heif": "pillow-heif",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "zlib_ng": "zlib-ng",
}
# A line of a package's requirements: name and versions; the extra that it belongs to.
_REQUIREMENT = re.compile(r"""([A-Za-z0-9._-]+)([^;]*)(?:;.*\bextra\s*==\s*['"]([^'"]+))?""")
_FOR_DEVELOPERS = frozenset({"test", "dev"})


@cache
def names(folder: str) -> list[str]:
    """The plug-ins in `stages/<folder>`, sorted, without importing any; listed once, asked for each picture."""
    files = (_ROOT / "stages" / folder).glob("*.py")
    stems = (file.stem for file in files if _OFFERS.search(file.read_text(encoding="utf-8")))
    return sorted(stem.replace("_", "-") for stem in stems)


def load(folder: str, name: str) -> ModuleType:
    """Imports one plug-in. PluginError where it does not exist or lacks a dependency.

    A plug-in may name the extra that installs its dependencies: `EXTRA = "heic"`, on a line of its own.
    """
    word = _WORDS.get(folder, folder)
    if name not in names(folder):
        raise PluginError(f"{word} {name!r} does not exist: there is {', '.join(names(folder))}.")
    stem = name.replace("-", "_")
    try:
        return importlib.import_module(f"gpen_fast.stages.{folder}.{stem}")
    except ModuleNotFoundError as missing:
        extra = _declared_extra(_ROOT / "stages" / folder / f"{stem}.py")
        raise PluginError(
            f"{word} {name!r} needs {_lacking(missing.name or str(missing), extra)}"
        ) from missing


def _declared_extra(file: Path) -> str | None:
    """The value of `EXTRA` in a file that cannot be imported."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names_extra = any(isinstance(each, ast.Name) and each.id == "EXTRA" for each in node.targets)
            if names_extra and isinstance(node.value.value, str):
                return node.value.value
    return None


def _lacking(module: str, extra: str | None) -> str:
    """What an absent module is called, and how it is installed."""
    top = module.partition(".")[0]
    if top == __package__:
        return f"the module {module}, which gpen-fast does not have. Correct the import in its file."
    package = PACKAGES.get(top, top.replace("_", "-"))
    if module != top and importlib.util.find_spec(top) is not None:
        return (
            f"the module {module}, which the installed {package} does not have. "
            f"Try: pip install --upgrade {package}"
        )
    known = f"the package {package}, which is not installed."
    if extra := extra or _extra_of(package):
        return f"{known} Try: pip install '{_OURS}[{extra}]'"
    if versions := _versions_of(package):
        return f"{known} Try: pip install '{package}{versions}'"
    if top in PACKAGES:
        return f"{known} Try: pip install {package}"
    return (
        f"the module {top}, which is not installed. "
        f"Install the package that holds it; if that has the same name: pip install {package}"
    )


def _requirements() -> list[tuple[str, str, str | None]]:
    """Name, versions and extra of each package that the installed gpen-fast asks for."""
    try:
        lines = metadata.requires(_OURS) or []
    except metadata.PackageNotFoundError:  # run from its sources
        lines = []
    found = [_REQUIREMENT.match(line) for line in lines]
    return [(match[1].lower(), match[2].replace(" ", ""), match[3]) for match in found if match]


def _extra_of(package: str) -> str | None:
    """The first extra that installs the package, unless every installation has it."""
    extras = [extra for name, _, extra in _requirements() if name == package and extra not in _FOR_DEVELOPERS]
    return None if None in extras else next(iter(extras), None)


def _versions_of(package: str) -> str:
    """The accepted versions of a package that every installation has; empty for others."""
    return next(
        (versions for name, versions, extra in _requirements() if name == package and extra is None), ""
    )
