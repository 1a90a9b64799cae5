"""Weights: what `auto` would run, and what is here."""

from __future__ import annotations

import os
from collections.abc import Iterator

from gpen_fast.doctor.findings import ABSENT, BROKEN, OK, Finding, said
from gpen_fast.errors import GpenError, HashError, SettingsError, WeightsNotFoundError
from gpen_fast.settings import Settings


def network(settings: Settings) -> Iterator[Finding]:
    """The network that `--model auto` takes without fetching anything."""
    from gpen_fast.store.catalog import entry
    from gpen_fast.store.locate import BEST, choose

    try:
        found = choose(settings.weights)
    except GpenError as error:
        text = said(error).split(": looked for")[0]
        get_it = entry(BEST).get_it if isinstance(error, WeightsNotFoundError | HashError) else ""
        again = " --again" if isinstance(error, HashError) else ""
        yield Finding("weights", "--model auto", BROKEN, text, needed=True, mend=get_it and get_it + again)
        return
    text = f"{found.model} ({found.path})"
    yield Finding("weights", "--model auto", OK, text, needed=True, mend=found.better or "")


def detector(settings: Settings) -> Iterator[Finding]:
    """The detector that `--detector auto` takes."""
    from gpen_fast.device.select import pick_device
    from gpen_fast.stages.detect.base import open_detector

    try:
        found = open_detector(settings, pick_device(settings.device)).name
    except GpenError as error:
        yield Finding("weights", "--detector auto", BROKEN, said(error), needed=True)
        return
    yield Finding("weights", "--detector auto", OK, found, needed=True)


def addresses(settings: Settings) -> Iterator[Finding]:
    """Where files would be fetched from; asks nobody."""
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
            yield Finding("weights", MIRROR_VARIABLE, BROKEN, said(error))
    if is_offline(settings.weights):
        yield Finding("weights", "network", OK, "offline: never touched")


def files(settings: Settings) -> Iterator[Finding]:
    """Every catalogued file."""
    from gpen_fast.store.status import statuses

    for one in statuses(settings.weights):
        known = one.entry
        refused = bool(one.copies) and one.used is None
        state = OK if one.used else BROKEN if refused else ABSENT
        where = one.used or (one.copies[0] if refused else None)
        mend = known.get_it if refused or (known.recommended and not one.used) else ""
        if refused and known.sources:
            mend += " --again"
        text = one.words + (f": {where.path}" if where else "")
        yield Finding("weights", known.name, state, text, mend=mend)
