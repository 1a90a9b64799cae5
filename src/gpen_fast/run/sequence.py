"""Which pictures are numbered together, as the frames of a film are. Imports no torch."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable

from gpen_fast.run.walk import split_name

_NUMBER = re.compile(r"\d+")


def numbered_together(paths: Iterable[str]) -> frozenset[str]:
    """The paths that share a folder with another whose name differs only in its numbers.

    `film/f_001.png` and `film/f_002.png` are numbered together; `film/title.png` and `f_001.png` elsewhere are not.

    Args:
        paths: The pictures of a run, those that are done already included.
    """
    groups: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for path in paths:
        folder, name = os.path.split(path)
        groups[folder, _NUMBER.sub("0", split_name(name)[0])].add(path)
    return frozenset(path for group in groups.values() if len(group) > 1 for path in group)
