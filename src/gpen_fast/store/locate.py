"""Which weights a run uses, and where they lie. Imports no torch."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.errors import SettingsError, WeightsNotFoundError
from gpen_fast.gpen.spec import PUBLISHED
from gpen_fast.settings import RANDOM, Settings
from gpen_fast.store.detectors import present as present
from gpen_fast.store.detectors import required as required

FOLDER_VARIABLE = "GPEN_FAST_WEIGHTS"


@dataclass(frozen=True)
class Choice:
    """The weights of one run. path: None for random ones. model: the published name, None where only the file knows."""

    path: Path | None
    model: str | None

    @property
    def random(self) -> bool:
        """True shapes, no meaning."""
        return self.path is None

    def sha256(self) -> str | None:
        """Of the file; None for random weights."""
        if self.path is None:
            return None
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def folders() -> list[Path]:
    """Where weights are looked for, in order."""
    named = os.environ.get(FOLDER_VARIABLE)
    return [*([Path(named)] if named else []), Path("weights")]


def choose(settings: Settings) -> Choice:
    """The weights that the settings name, or the best that are there.

    Raises SettingsError for an unknown model, WeightsNotFoundError with where they were looked for.
    """
    model = None if settings.model == "auto" else known(settings.model)
    if settings.weights is None:
        return _find([model] if model else list(PUBLISHED))
    if settings.random_weights:
        named = known(settings.weights.removeprefix(RANDOM))
        if model not in (None, named):
            raise SettingsError(f"--model {model} and --weights {settings.weights} contradict each other.")
        return Choice(None, named)
    path = Path(settings.weights)
    if not path.is_file():
        raise WeightsNotFoundError(f"weights {settings.weights!r}: no such file.")
    return Choice(path, model)


def known(model: str) -> str:
    """`model`, if it is published."""
    if model not in PUBLISHED:
        raise SettingsError(f"model {model!r} is not known: there is {', '.join(PUBLISHED)}.")
    return model


def _find(models: list[str]) -> Choice:
    for model in models:
        for folder in folders():
            path = folder / PUBLISHED[model].file
            if path.is_file():
                return Choice(path, model)
    files = ", ".join(PUBLISHED[model].file for model in models)
    raise WeightsNotFoundError(
        f"no weights for {models[0] if len(models) == 1 else 'any published model'}: "
        f"looked for {files} in {', '.join(str(folder.absolute()) for folder in folders())}. "
        f"Put one there, name a folder in {FOLDER_VARIABLE}, or give --weights FILE. "
        f"To time a machine without any: gpen-fast profile IMAGE --weights {RANDOM}{models[0]}"
    )
