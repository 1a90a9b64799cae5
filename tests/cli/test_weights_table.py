"""How the state of weights is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import DETECTOR, Shop, put


def test_list_of_the_real_catalog_fits_80_columns(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli("weights", "list")
    long = [line for line in ran.out.splitlines() if len(line) > 80]
    assert all("/" in line for line in long), "only a path may be longer: it is never cut"
    assert "GPEN_FAST_WEIGHTS: not set" in ran.out
    headings = [line for line in ran.out[: ran.out.index("\npresent\n")].splitlines() if line[:1].strip()]
    assert headings == ["generators", "detectors", "landmark networks", "parsers"]


def test_list_shows_a_file_once_where_two_folders_are_the_same(
    cli, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = put(Path("weights"), "face.pth", DETECTOR)
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(face.parent.absolute()))
    assert cli("weights", "list").out.count(str(face.absolute())) == 1


def test_verify_of_what_is_not_here(cli, shop: Shop) -> None:
    assert "no weights are present" in cli("weights", "verify").out
    ran = cli("weights", "verify", "face")
    assert ran.status == 1
    assert "missing  face: gpen-fast weights pull face" in ran.out
    assert cli("weights", "verify", "nose").status == 2
