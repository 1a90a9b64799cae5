"""Consent to a licence before weights are fetched, and fetching the best model for `--model auto`."""

from __future__ import annotations

import sys

import typer

from gpen_fast.errors import DownloadError, GpenError, WeightsNotFoundError, first_line
from gpen_fast.settings import WeightsOptions
from gpen_fast.store.catalog import CatalogEntry, entry


def agreed(known: CatalogEntry, options: WeightsOptions, yes: bool) -> bool:
    """Shows the licence of weights unless it was accepted before, and asks for consent.

    Args:
        known: The weights.
        options: Where they will be stored.
        yes: The user gave --yes: consent without a question.

    Returns:
        Whether the licence is accepted. False without a terminal, where no user can be asked.
    """
    from gpen_fast.store.folders import download_folder
    from gpen_fast.store.pull import needs_consent

    if not needs_consent(known):
        return True
    print(f"{known.name} ({known.shown_size}): {known.licence.sentence}", file=sys.stderr)
    if yes:
        return True
    return can_ask() and _answer(f"Accept this, and fetch it into {download_folder(options)}?")


def can_ask() -> bool:
    """Whether a user can answer: standard input and standard error are both a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _answer(question: str) -> bool:
    try:
        return typer.confirm(question, default=False, err=True)
    except typer.Abort:  # Ctrl-D, the end of input, is not consent
        return False


def get_best(options: WeightsOptions, yes: bool) -> None:
    """Fetches the best model for `--model auto` if it is missing, and prints one line if that fails.

    A failure does not end the run: `choose` takes the next best model that is present.

    Args:
        options: Which weights the user asked for, and whether the network may be used.
        yes: The user accepted the licence with --yes.

    Raises:
        HashError: A file with the best model's name is present and has another hash.
    """
    from gpen_fast.store.folders import is_offline
    from gpen_fast.store.locate import BEST, required

    if options.model != "auto" or options.weights is not None or is_offline(options):
        return
    try:
        required(BEST, options)
    except WeightsNotFoundError:
        why = _fetched(entry(BEST), options, yes)
        if why:
            print(f"note: {BEST} is not here and was not fetched: {why}", file=sys.stderr)


def _fetched(known: CatalogEntry, options: WeightsOptions, yes: bool) -> str:
    """ "" once the weights are present, else the reason why they are not."""
    from gpen_fast.cli.fetching import bar_for, interruptible
    from gpen_fast.store.pull import needs_consent, pull
    from gpen_fast.store.transfer import RetryPolicy

    if needs_consent(known) and not yes and not can_ask():
        return f"its licence has to be accepted once ({known.get_it} --yes)"
    if not agreed(known, options, yes):
        return "its licence was not accepted (--offline does not ask)"
    print(f"note: {known.name} is not here: fetching it ({known.shown_size})", file=sys.stderr)
    try:
        with interruptible(), bar_for(known.name) as bar:
            # A few seconds at most, if the network is down: another model can run instead.
            pull(
                known.name,
                options,
                accept_licence=True,
                progress=bar,
                retry_policy=RetryPolicy(connect_s=3.0, unreachable=1, attempts=2),
            )
    except DownloadError as error:
        return _in_short(error, known)
    except GpenError as error:
        return first_line(error)
    return ""


def _in_short(error: DownloadError, known: CatalogEntry) -> str:
    """One line: the error's own first line, or the cause of the first source that failed."""
    if not error.failures:
        return first_line(error)
    tried = "" if len(error.failures) == 1 else f", the first of {len(error.failures)} sources"
    return f"{error.failures[0][1]}{tried} ({known.get_it} tells all)"
