"""What a run opens: what cannot work is refused first, then the best weights are fetched, then all is loaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gpen_fast.cli.consent import get_best
from gpen_fast.cli.loading import loading
from gpen_fast.settings import Settings

if TYPE_CHECKING:
    from gpen_fast.run.runtime import Runtime


def fetch_and_load(settings: Settings, *, yes: bool, quiet: bool) -> Runtime:
    """Fetches the best model if `--model auto` lacks it and the user accepts its licence, and loads the run's parts.

    Args:
        settings: What was asked for.
        yes: The user accepted the licence with --yes.
        quiet: Does not say what is being loaded.

    Returns:
        What the run works with.

    Raises:
        GpenError: As `load_runtime` raises it; what can be known before a download is raised before it.
    """
    note = get_best(settings.weights, yes, lambda: _check(settings))
    with loading(quiet):
        from gpen_fast.run.runtime import load_runtime

        runtime = load_runtime(settings)
    if note:
        print(note, file=sys.stderr)
    return runtime


def _check(settings: Settings) -> None:
    from gpen_fast.run.runtime import check_runtime

    check_runtime(settings)
