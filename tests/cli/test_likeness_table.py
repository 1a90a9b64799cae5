"""How alike pictures are, as it is printed."""

from __future__ import annotations

import pytest

from gpen_fast.cli.likeness_table import print_below, print_likeness
from gpen_fast.run.likeness_run import LikenessRow, mean_row


def test_all_columns_fit_80_and_a_long_name_is_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name = "restored/" + "x" * 60 + ".png"
    rows = [
        LikenessRow("a", name, False, 31.256, 0.91239, 0.1234, 4.5, 3.25, note="One has transparency."),
        LikenessRow("c", "d", True, None, 1.0, 0.0, 4.0, 4.0),
        LikenessRow("e", "f", error="the sizes differ."),
    ]
    print_likeness(rows, mean_row(rows), [], {})
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert name in "".join(line.split()[0] for line in lines)
    for words in ("31.26", "0.9124", "0.1234", "identical", "NIQE A", "LPIPS", "leaves out 1 identical"):
        assert words in printed.out
    assert "failed f: not compared with e: the sizes differ." in printed.err
    assert "One has transparency." in printed.err
    print_below(["x.png"], 45)
    assert "below --min-psnr 45 dB: x.png" in capsys.readouterr().err
