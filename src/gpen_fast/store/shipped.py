"""Files of the project's own `weights/` folder, in an installed package or in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def shipped(name: str) -> Path:
    """Returns the path of a file in the project's `weights/`; embedded weights may be missing there."""
    installed = _PACKAGE / "weights" / name
    if installed.exists() or _PACKAGE.parent.name != "src":
        return installed
    return _PACKAGE.parents[1] / "weights" / name
