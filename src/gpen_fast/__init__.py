"""gpen-fast: face restoration with GPEN, every stage timed.

Importing the package loads no torch; the names below do when they are first used. It logs under the name `gpen_fast`
and prints nothing: `logging.basicConfig(level=logging.INFO)` shows what is loaded and which pictures fail.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
# Without a handler of the program's own, Python would print warnings on standard error.
logging.getLogger(__name__).addHandler(logging.NullHandler())

if TYPE_CHECKING:
    from gpen_fast.pictures import load_image, save_image
    from gpen_fast.restorer import Restorer
    from gpen_fast.run.restoration import Restoration
    from gpen_fast.settings import Settings
    from gpen_fast.types import Frame

__all__ = ["Frame", "Restoration", "Restorer", "Settings", "__version__", "load_image", "save_image"]

_HOMES = {
    "Frame": "types",
    "Restoration": "run.restoration",
    "Restorer": "restorer",
    "Settings": "settings",
    "load_image": "pictures",
    "save_image": "pictures",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gpen_fast' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"gpen_fast.{_HOMES[name]}"), name)
    except ImportError as error:
        from gpen_fast.errors import InstallError
        from gpen_fast.plugins.install import import_failure

        cause, cure = import_failure(error)
        raise InstallError(f"{cause}. Try: {cure}") from error
