"""The licence, shown and accepted before weights are fetched; and the best model fetched for `--model auto`."""

from __future__ import annotations

import sys

import typer

from gpen_fast.errors import DownloadError, GpenError, WeightsNotFoundError, first_line
from gpen_fast.settings import Settings
from gpen_fast.store.catalog import Entry, entry


def agreed(known: Entry, settings: Settings, yes: bool) -> bool:
    """Shows the licence where it has still to be accepted; whether it is. Only a person at a terminal is asked."""
    from gpen_fast.store.folders import target
    from gpen_fast.store.pull import needs_consent

    if not needs_consent(known):
        return True
    print(f"{known.name} ({known.shown_size}): {known.licence.sentence}", file=sys.stderr)
    if yes:
        return True
    return can_ask() and _answer(f"Accept this, and fetch it into {target(settings)}?")


def can_ask() -> bool:
    """Whether somebody sits at the other end."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _answer(question: str) -> bool:
    try:
        return typer.confirm(question, default=False, err=True)
    except typer.Abort:  # the end of input is no consent
        return False


def get_best(settings: Settings, yes: bool) -> None:
    """Fetches the best model for `auto` where it is not here; where it cannot be had, says why in one line.

    Leaves it to `choose` to find what can run instead. Raises HashError for a file that is here and is another.
    """
    from gpen_fast.store.folders import is_offline
    from gpen_fast.store.locate import BEST, required

    if settings.model != "auto" or settings.weights.weights is not None or is_offline(settings):
        return
    try:
        required(BEST, settings)
    except WeightsNotFoundError:
        why = _fetched(entry(BEST), settings, yes)
        if why:
            print(f"note: {BEST} is not here and was not fetched: {why}", file=sys.stderr)


def _fetched(known: Entry, settings: Settings, yes: bool) -> str:
    """Empty where it is here now, else why not."""
    from gpen_fast.cli.fetching import bar_for, interruptible
    from gpen_fast.store.pull import needs_consent, pull
    from gpen_fast.store.transfer import RetryPolicy

    if needs_consent(known) and not yes and not can_ask():
        return f"its licence has to be accepted once ({known.get_it} --yes)"
    if not agreed(known, settings, yes):
        return "its licence was not accepted (--offline does not ask)"
    print(f"note: {known.name} is not here: fetching it ({known.shown_size})", file=sys.stderr)
    try:
        with interruptible(), bar_for(known.name) as bar:
            # Short: this run can do without.
            pull(
                known.name,
                settings,
                accept_licence=True,
                progress=bar,
                retry_policy=RetryPolicy(connect_s=3.0, unreachable=1, attempts=2),
            )
    except DownloadError as error:
        return _in_short(error, known)
    except GpenError as error:
        return first_line(error)
    return ""


def _in_short(error: DownloadError, known: Entry) -> str:
    """One line: what is wrong here, or the first source's cause."""
    if not error.failures:
        return first_line(error)
    tried = "" if len(error.failures) == 1 else f", the first of {len(error.failures)} sources"
    return f"{error.failures[0][1]}{tried} ({known.get_it} tells all)"
