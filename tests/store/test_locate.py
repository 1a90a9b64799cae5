"""Which file a run takes: the search order, hashes, and what `auto` means."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from shop import DETECTOR, Shop, network_bytes

from gpen_fast import Restorer
from gpen_fast.errors import HashError, SettingsError, StoreError, WeightsNotFoundError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import folders, locate, records
from gpen_fast.store.locate import choose, present, required

SET = WeightsOptions()


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def test_folders_are_searched_in_order(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path / "named"))
    options = WeightsOptions(weights_dir=str(tmp_path / "chosen"))
    places = [tmp_path / "chosen", tmp_path / "named", Path("weights"), folders.user_cache() / "weights",
              folders.facexlib_folder()]  # fmt: skip
    assert [place.path for place in folders.places(options)] == places
    (tmp_path / "chosen").mkdir()
    assert present("face", options) is None
    for place in reversed(places):
        there = put(place, "face.pth", DETECTOR)
        assert present("face", options) == there == required("face", options)


def test_folder_that_does_not_exist_is_refused(shop: Shop, tmp_path: Path) -> None:
    for ask in (lambda s: present("face", s), lambda s: required("face", s), choose):
        with pytest.raises(SettingsError, match=r"--weights-dir .*nowhere: no such folder"):
            ask(WeightsOptions(weights_dir=str(tmp_path / "nowhere")))


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", "~/mine")
    assert folders.places(SET)[1].path == tmp_path / "mine"


def test_missing_file_says_where_it_was_looked_for_and_how_to_get_it(shop: Shop) -> None:
    with pytest.raises(WeightsNotFoundError) as raised:
        required("face", SET)
    for words in ("face.pth", str(Path("weights").absolute()), str(folders.user_cache() / "weights"),
                  "gpen-fast weights pull face"):  # fmt: skip
        assert words in str(raised.value)
    with pytest.raises(WeightsNotFoundError, match="gpen-fast weights import FILE --trust found"):
        required("found", SET)
    with pytest.raises(SettingsError, match="weights 'nose' are not known"):
        present("nose", SET)


def test_detector_of_the_right_name_and_another_hash_is_not_used(shop: Shop) -> None:
    other = put(Path("weights"), "face.pth", b"other anchors")
    assert present("face", SET) is None
    with pytest.raises(HashError) as raised:
        required("face", SET)
    for words in (str(other), hashlib.sha256(b"other anchors").hexdigest(), hashlib.sha256(DETECTOR).hexdigest(),
                  "gpen-fast weights pull face --again", f"gpen-fast weights import {other} --trust face"):  # fmt: skip
        assert words in str(raised.value)
    right = put(folders.user_cache() / "weights", "face.pth", DETECTOR)
    assert present("face", SET) == required("face", SET) == right, "a right one further on is used"


def test_detector_without_a_published_hash_needs_a_persons_word(shop: Shop) -> None:
    there = put(Path("weights"), "found.onnx", b"onnx")
    assert present("found", SET) is None
    with pytest.raises(HashError, match="not known: nobody publishes one"):
        required("found", SET)
    records.accept("found", hashlib.sha256(b"onnx").hexdigest(), records.TRUSTED, "here")
    assert present("found", SET) == there


def test_network_without_a_known_hash_is_used_until_one_is_pinned(shop: Shop) -> None:
    there = put(Path("weights"), "NET.pth", network_bytes(2.0))
    assert required("net", SET) == there
    records.accept("net", hashlib.sha256(shop.network).hexdigest(), records.PINNED, "there")
    with pytest.raises(HashError, match="Or use it unchecked: --weights FILE"):
        required("net", SET)


def test_auto_takes_the_best_then_a_published_one_then_the_embedded(shop: Shop) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"no weights for any published model.*pull gpen-bfr-512"):
        choose(SET)
    lite = put(shop.folder, "lite.safetensors", b"x")
    assert choose(SET) == locate.Choice(lite, "lite", "gpen-fast weights pull gpen-bfr-512")
    net = put(Path("weights"), "NET.pth", b"x")
    assert choose(SET) == locate.Choice(net, "net", "gpen-fast weights pull gpen-bfr-512")
    best = put(Path("weights"), "GPEN-BFR-512.pth", shop.network)
    assert choose(SET) == locate.Choice(best, "gpen-bfr-512", None)
    assert choose(WeightsOptions(model="lite")) == locate.Choice(lite, "lite", None), (
        "what was named is what was wanted"
    )


def test_auto_does_not_pass_over_a_wrong_file_in_silence(shop: Shop) -> None:
    put(shop.folder, "lite.safetensors", b"x")
    put(Path("weights"), "GPEN-BFR-512.pth", shop.network[:-7])
    with pytest.raises(
        HashError, match=r"weights/GPEN-BFR-512\.pth is not the gpen-bfr-512 that is expected"
    ):
        choose(SET)


def test_named_model_that_is_not_here_is_an_error(shop: Shop) -> None:
    with pytest.raises(
        WeightsNotFoundError, match=r"no weights for gpen-bfr-512: looked for GPEN-BFR-512\.pth in"
    ):
        choose(WeightsOptions(model="gpen-bfr-512"))
    with pytest.raises(
        WeightsNotFoundError, match=r"no weights for lite: .*pip install --force-reinstall gpen-fast"
    ):
        choose(WeightsOptions(model="lite"))


def test_python_takes_the_embedded_network_and_asks_nobody(
    shop: Shop, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("the library asked"))
    save_file(load_file(tiny_weights), shop.folder / "lite.safetensors", metadata={"template": "ffhq"})
    for restorer in (Restorer(detector="haar", precision="fp32"), Restorer("lite", "haar", precision="fp32")):
        assert restorer.runtime.model == "lite"
        assert restorer.runtime.template == "ffhq"
    assert not shop.net.requests


def test_template_is_the_catalogs_where_the_file_declares_none(shop: Shop, tiny_weights: Path) -> None:
    shutil.copy(tiny_weights, shop.folder / "lite.safetensors")
    assert Restorer("lite", "haar", precision="fp32").runtime.template == "ffhq"
    put(Path("weights"), "NET.pth", shop.network)
    assert Restorer("net", "haar", precision="fp32").runtime.template == "ffhq"


def test_embedded_name_with_a_file_of_ones_own_cannot_be_checked(shop: Shop, tiny_weights: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be checked to be lite: leave --model out"):
        choose(WeightsOptions(model="lite", weights=str(tiny_weights)))
    with pytest.raises(SettingsError, match="random:lite: its shapes are not in the catalog"):
        choose(WeightsOptions(weights="random:lite"))


def test_embedded_hash_counts_once_it_is_in_the_catalog(shop: Shop) -> None:
    text = shop.catalog.read_text()
    sha = hashlib.sha256(b"right").hexdigest()
    put(shop.folder, "lite.safetensors", b"wrong")
    shop.catalog.write_text(text.replace("embedded = true", f'embedded = true\nsha256 = ["{sha}"]'))
    locate_again()
    with pytest.raises(HashError, match="not the lite that is expected"):
        required("lite", SET)
    put(shop.folder, "lite.safetensors", b"right")
    assert present("lite", SET) == shop.folder / "lite.safetensors"


def locate_again() -> None:
    from gpen_fast.store import catalog

    catalog.read.cache_clear()


def test_file_that_cannot_be_read_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    there = put(Path("weights"), "face.pth", DETECTOR)

    def denied(path: Path, *, fresh: bool) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(locate, "sha256_of", denied)
    with pytest.raises(StoreError, match=rf"{there}: cannot be read \(permission denied\)"):
        present("face", SET)


def test_damaged_record_is_named_and_never_overwritten(shop: Shop) -> None:
    put(Path("weights"), "face.pth", DETECTOR)
    path = records.record_file()
    path.parent.mkdir(parents=True)
    for text in (
        "{",
        "[]",
        '{"schema": 2, "accepted": {}, "licences": {}}',
        '{"schema": 1, "accepted": {"face": [{}]}, "licences": {}}',
    ):
        path.write_text(text)
        with pytest.raises(
            StoreError, match=r"weights-lock\.json: the record of accepted weights cannot be read"
        ):
            present("face", SET)
        with pytest.raises(StoreError):
            records.accept_licence("mit")
        assert path.read_text() == text
