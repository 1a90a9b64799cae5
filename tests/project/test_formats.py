"""What comes in by any format goes out by any other, as readers that are not ours see it.

`make formats` prints the whole table with every reader that is installed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from formats import Case, cases, readers, seen

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.suffix} {case.what}")
def test_every_format_comes_through(case: Case, tmp_path: Path) -> None:
    for row in seen(case, tmp_path, programs=False):
        assert not row.objections, (row.suffix, row.facts)


@pytest.mark.skipif(len(readers()) == 2, reason="no exiftool, pngcheck or ImageMagick here")
@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CASES
        if case.described or case.what in {"RGBA 16", "grey 8", "RGB 16 lzw", "palette 4 tRNS"}
    ],
    ids=lambda case: f"{case.suffix} {case.what}",
)
def test_independent_programs_agree(case: Case, tmp_path: Path) -> None:
    for row in seen(case, tmp_path):
        assert not row.objections, (row.suffix, row.facts)


def test_every_kind_of_picture_is_tried() -> None:
    assert {case.suffix for case in CASES} >= {"jpg", "png", "webp", "bmp", "tif"}
