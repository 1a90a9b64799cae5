"""What the user asked `profile` for, as its measurements take it. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.cli.flags import ProfileOptions, RunOptions
from gpen_fast.errors import SettingsError
from gpen_fast.settings import Settings


@dataclass(frozen=True)
class ProfileRequest:
    """The pictures and the flags of one call."""

    images: Sequence[Path]
    """Files."""

    settings: Settings
    """How they are restored."""

    options: ProfileOptions
    """How it is measured."""

    run: RunOptions
    """What is written beside the tables."""

    def __post_init__(self) -> None:
        options = self.options
        measured = {"--ladder": options.ladder, "--sweep": options.sweep is not None, "--live": options.live}
        instead = next((flag for flag, given in measured.items() if given), "")
        if instead and self.run.trace:
            raise SettingsError(f"--trace is for the plain profile, not for {instead}: leave one out.")
        if self.run.trace and (self.options.compare or (self.options.repeat or 1) > 1):
            raise SettingsError("--trace is of one process: leave out --repeat and --compare.")
