"""Plug-ins: detectors, generator backends and picture formats, described without importing them. Imports no torch.

A plug-in is a module that assigns its facts to FACTS, with literals only:

    FACTS = DetectorFacts(rank=3, weights=("yunet",), gives_landmarks=True, on_host=True, help="fastest on a CPU")

Its file is parsed and not run, and the keyword arguments are read as literals. So `--help` lists plug-ins without
importing torch, and a plug-in whose optional dependency is absent fails only when it is asked for.

gpen-fast's own plug-ins are the files in stages/detect, stages/generate and stages/save that declare FACTS; a plug-in's
name is its file's, with `-` for `_`. Another package adds one by an entry point in the group gpen_fast.detectors,
gpen_fast.backends or gpen_fast.formats: the entry point's name is the plug-in's, its value the module. `auto` chooses
among gpen-fast's own only, so that installing a package never changes a result.
"""

from __future__ import annotations

from gpen_fast.plugins.facts import BackendFacts, DetectorFacts, FormatFacts
from gpen_fast.plugins.finder import (
    PluginKind,
    automatic,
    check_name,
    facts,
    format_of,
    load_plugin,
    names,
    problems,
)

__all__ = [
    "BackendFacts",
    "DetectorFacts",
    "FormatFacts",
    "PluginKind",
    "automatic",
    "check_name",
    "facts",
    "format_of",
    "load_plugin",
    "names",
    "problems",
]
