"""The keys of settings, for journals of tests."""

from __future__ import annotations

from gpen_fast.run.journal.keys import SettingsKeys
from gpen_fast.settings import OutputOptions, Settings


def keys_of(settings: Settings, output: OutputOptions) -> SettingsKeys:
    return SettingsKeys(
        output,
        weights=settings.weights,
        detect=settings.detect,
        generate=settings.generate,
        load=settings.load,
        paste=settings.paste,
    )
