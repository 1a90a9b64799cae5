"""The list of sources that published weights need."""

from __future__ import annotations

from pathlib import Path

from lite_sets import write_set

from gpen_fast.training.lite.credits import source_list, without_attribution
from gpen_fast.training.lite.sets import read_sets


def test_names_each_source_with_its_licence_and_attribution_and_counts_trained_faces(tmp_path: Path) -> None:
    free = write_set(
        tmp_path / "free", [("a/site", "p0", "0.jpg", "train"), ("a/site", "p1", "1.jpg", "held-out")]
    )
    basis = "site-wide footer; supplied by the person. Attribution: Some Club, club.org"
    named = write_set(
        tmp_path / "named", [("b/site", f"q{i}", f"{i}.jpg", "train") for i in range(3)], "CC-BY-4.0", basis
    )
    sets = read_sets([free, named])
    said = source_list(sets)
    assert "| a/site | 1 | CC0-1.0 | none asked for |" in said
    assert "| b/site | 3 | CC-BY-4.0 | Some Club, club.org |" in said
    assert without_attribution(sets) == []


def test_finds_faces_whose_licence_asks_for_a_name_that_the_manifest_lacks(tmp_path: Path) -> None:
    rows = [("b/site", "q", "0.jpg", "train")]
    sets = read_sets([write_set(tmp_path / "named", rows, "CC-BY-4.0", "supplied by the person")])
    assert without_attribution(sets) == [str(tmp_path / "named" / "0.png")]
