"""Consent to a licence before weights are fetched, and fetching the best model for `--model auto`."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from gpen_fast.errors import DownloadError, GpenError, StoreError, WeightsNotFoundError, first_line
from gpen_fast.settings import WeightsOptions
from gpen_fast.store.catalog import CatalogEntry, entry


def agreed(known: CatalogEntry, options: WeightsOptions, yes: bool) -> bool:
    """Shows the licence of weights unless it was accepted before, and asks for consent.

    A no is recorded too: `get_best` does not ask again.

    Args:
        known: The weights.
        options: Where they will be stored.
        yes: The user gave --yes: consent without a question.

    Returns:
        Whether the licence is accepted. False without a terminal, where no user can be asked.
    """
    from gpen_fast.store.folders import download_folder
    from gpen_fast.store.pull import needs_consent
    from gpen_fast.store.records import decline_licence

    if not needs_consent(known):
        return True
    print(f"{known.name} ({known.shown_size}): {known.licence.sentence}", file=sys.stderr)
    if yes:
        return True
    if not can_ask():
        return False
    answer = _answer(f"Accept this, and fetch it into {download_folder(options)}?")
    if answer is False:
        try:
            decline_licence(known.licence.key)
        except StoreError as error:
            print(f"note: the answer is not recorded: {first_line(error)}", file=sys.stderr)
    return bool(answer)


def can_ask() -> bool:
    """Whether a user can answer: standard input and standard error are both a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _answer(question: str) -> bool | None:
    """The user's answer; None for none."""
    try:
        return typer.confirm(question, default=False, err=True)
    except typer.Abort:  # Ctrl-D, the end of input, is neither consent nor a no
        return None


def get_best(options: WeightsOptions, yes: bool, check: Callable[[], object]) -> str:
    """Fetches the best model for `--model auto` if it is missing.

    A failure does not end the run: `choose` takes the next best model that is present.

    Args:
        options: Which weights the user asked for, and whether the network may be used.
        yes: The user accepted the licence with --yes.
        check: Is called before a question or a download, and raises what would end the run in any case.

    Returns:
        A note that says why the model was not fetched; "" if it is present, or the user declined its licence before.

    Raises:
        HashError: A file with the best model's name is present and has another hash.
    """
    from gpen_fast.store.folders import is_offline
    from gpen_fast.store.locate import BEST, required

    if options.model != "auto" or options.weights is not None or is_offline(options):
        return ""
    try:
        required(BEST, options)
    except WeightsNotFoundError:
        why = _why_not_fetched(entry(BEST), options, yes, check)
        return why and f"note: {BEST} is not here and was not fetched: {why}"
    return ""


def _why_not_fetched(
    known: CatalogEntry, options: WeightsOptions, yes: bool, check: Callable[[], object]
) -> str:
    """ "" once the weights are present, and where nothing is to be said; else the reason why they are not."""
    from gpen_fast.store.pull import is_declined, needs_consent

    if not yes and is_declined(known):
        return ""  # the summary names the command that asks again
    if needs_consent(known) and not yes and not can_ask():
        return f"its licence has to be accepted once ({known.get_it} --yes)"
    check()
    if not agreed(known, options, yes):
        return f"its licence was not accepted ({known.get_it} asks again)"
    return _why_fetch_failed(known, options)


def _why_fetch_failed(known: CatalogEntry, options: WeightsOptions) -> str:
    """ "" once the weights are fetched."""
    from gpen_fast.cli.fetching import bar_for, interruptible
    from gpen_fast.store.pull import pull
    from gpen_fast.store.transfer import RetryPolicy

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
