"""Which folders are searched, in which order, and when the network is forbidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import DETECTOR, Shop, put

from gpen_fast.errors import SettingsError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import folders
from gpen_fast.store.locate import choose_weights, present, required

SET = WeightsOptions()


def test_folders_are_searched_in_order(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path / "named"))
    options = WeightsOptions(weights_dir=str(tmp_path / "chosen"))
    places = [tmp_path / "chosen", tmp_path / "named", Path("weights"), folders.user_cache() / "weights",
              folders.facexlib_folder()]  # fmt: skip
    assert [place.path for place in folders.search_places(options)] == places
    (tmp_path / "chosen").mkdir()
    assert present("face", options) is None
    for place in reversed(places):
        there = put(place, "face.pth", DETECTOR)
        assert present("face", options) == there == required("face", options)


def test_folder_that_does_not_exist_is_refused(shop: Shop, tmp_path: Path) -> None:
    for ask in (lambda s: present("face", s), lambda s: required("face", s), choose_weights):
        with pytest.raises(SettingsError, match=r"--weights-dir .*nowhere: no such folder"):
            ask(WeightsOptions(weights_dir=str(tmp_path / "nowhere")))


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", "~/mine")
    assert folders.search_places(SET)[1].path == tmp_path / "mine"


def test_new_files_go_to_the_folder_that_was_named_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert folders.download_folder(SET) == folders.user_cache() / "weights"
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path / "named"))
    assert folders.download_folder(SET) == tmp_path / "named"
    chosen = WeightsOptions(weights_dir=str(tmp_path / "chosen"))
    assert folders.download_folder(chosen) == tmp_path / "chosen"


def test_a_place_says_where_it_is_and_whether_it_exists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path))
    places = {place.why: str(place) for place in folders.search_places(SET)}
    assert places["--weights-dir"] == "not set"
    assert places["GPEN_FAST_WEIGHTS"] == str(tmp_path)
    assert places["facexlib"].endswith("facexlib (no such folder)")
    assert tmp_path in folders.search_folders(SET)


@pytest.mark.parametrize(
    ("value", "forbidden"), [("1", True), ("yes", True), ("0", False), (" False ", False), ("", False)]
)
def test_the_network_is_forbidden_by_the_option_or_the_variable(
    monkeypatch: pytest.MonkeyPatch, value: str, forbidden: bool
) -> None:
    monkeypatch.setenv("GPEN_FAST_OFFLINE", value)
    assert folders.is_offline(SET) is forbidden
    assert folders.is_offline(WeightsOptions(offline=True))
