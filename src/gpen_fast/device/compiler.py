"""Where torch.compile caches the code that it generates."""

from __future__ import annotations

import os
from pathlib import Path

_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"


def cache_compiled_code(folder: Path) -> None:
    """Caches compiled code in `folder`, for this process and its children, unless the user named another folder.

    Without this, torch caches in the folder for temporary files, which many systems empty at a restart.
    """
    named = os.environ.get(_VARIABLE, "")
    # torch sets the variable itself, to its default, as soon as its cache is first used: that is no user's choice.
    if not named or Path(named).name.startswith("torchinductor_"):
        os.environ[_VARIABLE] = str(folder)
