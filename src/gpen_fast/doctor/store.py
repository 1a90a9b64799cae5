"""Weights: what `auto` would use, and which files are present."""

from __future__ import annotations

import os
from collections.abc import Iterator

from gpen_fast.doctor.findings import ABSENT, BROKEN, OK, Finding
from gpen_fast.errors import GpenError, HashError, SettingsError, WeightsNotFoundError, summary
from gpen_fast.settings import DetectOptions, WeightsOptions


def network(weights: WeightsOptions) -> Iterator[Finding]:
    """Finds the network that `--model auto` uses if nothing is fetched."""
    from gpen_fast.store.catalog import entry
    from gpen_fast.store.locate import BEST, choose_weights

    try:
        choice = choose_weights(weights)
    except GpenError as error:
        # The rest of the message lists the searched folders, which the command `weights list` shows better.
        text = summary(error).split(": none of")[0]
        get_it = entry(BEST).get_it if isinstance(error, WeightsNotFoundError | HashError) else ""
        again = " --again" if isinstance(error, HashError) else ""
        yield Finding("weights", "--model auto", BROKEN, text, needed=True, mend=get_it and get_it + again)
        return
    text = f"{choice.model} ({choice.path})"
    yield Finding("weights", "--model auto", OK, text, needed=True, mend=choice.better or "")


def detector(device: str, weights: WeightsOptions) -> Iterator[Finding]:
    """Opens the detector that `--detector auto` uses."""
    from gpen_fast.device.select import pick_device
    from gpen_fast.stages.detect.base import open_detector

    try:
        name = open_detector(DetectOptions(), weights, pick_device(device), "auto").name
    except GpenError as error:
        yield Finding("weights", "--detector auto", BROKEN, summary(error), needed=True)
        return
    yield Finding("weights", "--detector auto", OK, name, needed=True)


def addresses(weights: WeightsOptions) -> Iterator[Finding]:
    """Reports a mirror and offline mode. It sends no request."""
    from gpen_fast.store.catalog import entry
    from gpen_fast.store.folders import is_offline
    from gpen_fast.store.locate import BEST
    from gpen_fast.store.mirror import MIRROR_VARIABLE, sources_of, without_password

    mirror = os.environ.get(MIRROR_VARIABLE)
    if mirror:
        try:
            sources_of(entry(BEST))
            yield Finding("weights", MIRROR_VARIABLE, OK, without_password(mirror))
        except SettingsError as error:
            yield Finding("weights", MIRROR_VARIABLE, BROKEN, summary(error))
    if is_offline(weights):
        yield Finding("weights", "network", OK, "offline: never used")


def files(weights: WeightsOptions) -> Iterator[Finding]:
    """Verifies every catalogued file."""
    from gpen_fast.store.status import statuses

    for status in statuses(weights):
        known = status.entry
        refused = bool(status.copies) and status.used is None
        state = OK if status.used else BROKEN if refused else ABSENT
        shown = status.used or (status.copies[0] if refused else None)
        mend = known.get_it if refused or (known.recommended and not status.used) else ""
        if refused and known.sources:
            mend += " --again"
        text = status.state + (f": {shown.path}" if shown else "")
        yield Finding("weights", known.name, state, text, mend=mend)
