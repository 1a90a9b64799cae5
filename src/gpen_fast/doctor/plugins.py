"""Plug-ins: which there are, and which are left out because their facts are wrong or their names are taken."""

from __future__ import annotations

from collections.abc import Iterator

from gpen_fast import plugins
from gpen_fast.doctor.findings import BROKEN, OK, Finding
from gpen_fast.plugins import PluginKind

_WORDS: dict[PluginKind, str] = {"detect": "detectors", "generate": "backends", "save": "formats"}


def listed() -> Iterator[Finding]:
    """The plug-ins of each kind by name, then each that is left out and why. None of them is imported."""
    for kind, word in _WORDS.items():
        yield Finding("plug-ins", word, OK, ", ".join(plugins.names(kind)))
        for name, why in plugins.problems(kind):
            yield Finding("plug-ins", name, BROKEN, why)
