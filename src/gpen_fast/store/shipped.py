"""Files of the project's own `weights/` folder: inside an installed package, or in the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def shipped(name: str) -> Path:
    """Where `name` of the project's `weights/` lies. The file may be missing: the embedded weights are optional."""
    installed = _PACKAGE / "weights" / name
    if installed.exists() or _PACKAGE.parent.name != "src":
        return installed
    return _PACKAGE.parents[1] / "weights" / name
