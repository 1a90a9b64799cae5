"""The start of a run: what cannot work is refused first, then the best weights are fetched, then all is loaded."""

from __future__ import annotations

import sys

from gpen_fast.cli.consent import get_best
from gpen_fast.run.runtime import Runtime, check_runtime, load_runtime
from gpen_fast.settings import Settings


def fetch_and_load(settings: Settings, yes: bool) -> Runtime:
    """Fetches the best model if `--model auto` lacks it and the user accepts its licence, and loads the run's parts.

    Args:
        settings: What was asked for.
        yes: The user accepted the licence with --yes.

    Returns:
        What the run works with.

    Raises:
        GpenError: As `load_runtime` raises it; what can be known before a download is raised before it.
    """
    note = get_best(settings.weights, yes, lambda: check_runtime(settings))
    runtime = load_runtime(settings)
    if note:
        print(note, file=sys.stderr)
    return runtime
