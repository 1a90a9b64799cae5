"""The names of results. Imports no torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.run.places import Places
from gpen_fast.run.walk import prefix_of, split_name
from gpen_fast.settings import SAME, OutputOptions, suffix_of


def targets(
    out: Path | None, output: OutputOptions, places: Places, *, one: bool
) -> Callable[[str, str], str]:
    """Makes what gives the target of each picture.

    Args:
        out: The output; None in place.
        output: How results are named.
        places: Tells which pictures are links, in place.
        one: `out` is the file itself.

    Returns:
        Gives the target of a picture from its path and its path below its input.
    """
    if out is None:
        return lambda source, relative: places.real(source) if places.is_link(source) else source
    if one:
        return lambda source, relative: os.fspath(out)
    prefix, written, kind_of = prefix_of(os.fspath(out)), set(plugins.names("save")), kinds_by_suffix()

    def target(source: str, relative: str) -> str:
        folder, name = os.path.split(relative)
        stem, suffix = split_name(name)
        kind = output.format
        if kind == SAME:
            # `same` keeps the picture's own suffix, or PNG where that cannot be written.
            kind = suffix.removeprefix(".") if kind_of(suffix) in written else "png"
        return f"{prefix}{folder}{os.sep if folder else ''}{stem}{output.suffix}.{kind}"

    return target


def kinds_by_suffix() -> Callable[[str], str]:
    """Gives the name of the format that a suffix with its dot means: `suffix_of`, asked once for each suffix."""
    return cache(lambda suffix: suffix_of(Path(f"name{suffix}")))
