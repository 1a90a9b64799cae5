"""Every input format can be written in every output format, as independent readers confirm.

`make formats` prints the whole table with every installed reader.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from formats import Case, cases, readers, round_trips

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.suffix} {case.what}")
def test_every_format_keeps_its_pixels_and_metadata(case: Case, tmp_path: Path) -> None:
    for row in round_trips(case, tmp_path, programs=False):
        assert not row.objections, (row.suffix, row.facts)


@pytest.mark.skipif(len(readers()) == 3, reason="needs exiftool, pngcheck or ImageMagick")
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
    for row in round_trips(case, tmp_path):
        assert not row.objections, (row.suffix, row.facts)


def test_cases_cover_every_format_that_needs_no_extra() -> None:
    assert {case.suffix for case in CASES} >= {"jpg", "png", "webp", "bmp", "tif", "gif", "jp2", "psd"}
