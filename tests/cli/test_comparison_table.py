"""A comparison as it is printed."""

from __future__ import annotations

import pytest
from sides import sides_of

from gpen_fast.cli.comparison_table import print_comparison
from gpen_fast.measure.compare import compare_sides


def test_the_table_fits_80_columns_and_has_every_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    made = compare_sides(*sides_of(3, 3, noise=0.2, apart=True))
    print_comparison(made)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1 : 1 + len(made.rows)]] == [row.stage for row in made.rows]
    assert lines[1 + len(made.rows)].startswith("No regression")
