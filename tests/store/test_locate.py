"""Which file a run uses: search order, hashes, and the meaning of `auto`."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from shop import DETECTOR, Shop, network_bytes, put

from gpen_fast import Restorer
from gpen_fast.errors import HashError, SettingsError, StoreError, WeightsNotFoundError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import folders, locate, records
from gpen_fast.store.locate import choose_weights, present, required

SET = WeightsOptions()


def test_missing_file_says_where_it_was_searched_and_how_to_get_it(shop: Shop) -> None:
    with pytest.raises(WeightsNotFoundError) as raised:
        required("face", SET)
    for words in ("face.pth", str(Path("weights").absolute()), str(folders.user_cache() / "weights"),
                  "gpen-fast weights pull face"):  # fmt: skip
        assert words in str(raised.value)
    with pytest.raises(WeightsNotFoundError, match="gpen-fast weights import FILE --trust found"):
        required("found", SET)
    with pytest.raises(SettingsError, match="unknown weights 'nose': accepted are"):
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


def test_detector_without_a_published_hash_needs_the_users_trust(shop: Shop) -> None:
    there = put(Path("weights"), "found.onnx", b"onnx")
    assert present("found", SET) is None
    with pytest.raises(HashError, match="not known: no hash is published"):
        required("found", SET)
    records.accept("found", hashlib.sha256(b"onnx").hexdigest(), records.TRUSTED, "here")
    assert present("found", SET) == there


def test_network_without_a_known_hash_is_used_until_one_is_pinned(shop: Shop) -> None:
    there = put(Path("weights"), "NET.pth", network_bytes(2.0))
    assert required("net", SET) == there
    records.accept("net", hashlib.sha256(shop.network).hexdigest(), records.PINNED, "there")
    with pytest.raises(HashError, match="Or use it unchecked: --weights FILE"):
        required("net", SET)


def test_auto_is_the_best_then_a_published_one_then_the_embedded(shop: Shop) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"no weights for any published model.*pull gpen-bfr-512"):
        choose_weights(SET)
    lite = put(shop.folder, "lite.safetensors", b"x")
    assert choose_weights(SET) == locate.Choice(lite, "lite", "gpen-fast weights pull gpen-bfr-512")
    net = put(Path("weights"), "NET.pth", b"x")
    assert choose_weights(SET) == locate.Choice(net, "net", "gpen-fast weights pull gpen-bfr-512")
    best = put(Path("weights"), "GPEN-BFR-512.pth", shop.network)
    assert choose_weights(SET) == locate.Choice(best, "gpen-bfr-512", None)
    assert choose_weights(WeightsOptions(model="lite")) == locate.Choice(lite, "lite", None), (
        "what was named is what was wanted"
    )


def test_auto_refuses_a_wrong_file_of_the_best_model(shop: Shop) -> None:
    put(shop.folder, "lite.safetensors", b"x")
    put(Path("weights"), "GPEN-BFR-512.pth", shop.network[:-7])
    with pytest.raises(HashError, match=r"weights/GPEN-BFR-512\.pth is not the expected gpen-bfr-512"):
        choose_weights(SET)


def test_named_model_that_is_not_here_is_an_error(shop: Shop) -> None:
    with pytest.raises(
        WeightsNotFoundError, match=r"no weights for gpen-bfr-512: GPEN-BFR-512\.pth is not in"
    ):
        choose_weights(WeightsOptions(model="gpen-bfr-512"))
    with pytest.raises(
        WeightsNotFoundError, match=r"no weights for lite: .*pip install --force-reinstall gpen-fast"
    ):
        choose_weights(WeightsOptions(model="lite"))


def test_python_uses_the_embedded_network_and_never_asks(
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


def test_an_embedded_name_and_a_file_contradict_each_other(shop: Shop, tiny_weights: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be checked to be lite: leave --model out"):
        choose_weights(WeightsOptions(model="lite", weights=str(tiny_weights)))
    with pytest.raises(SettingsError, match="random:lite: its shapes are not in the catalog"):
        choose_weights(WeightsOptions(weights="random:lite"))


def test_embedded_hash_counts_once_it_is_in_the_catalog(shop: Shop) -> None:
    text = shop.catalog.read_text()
    sha = hashlib.sha256(b"right").hexdigest()
    put(shop.folder, "lite.safetensors", b"wrong")
    shop.catalog.write_text(text.replace("embedded = true", f'embedded = true\nsha256 = ["{sha}"]'))
    locate_again()
    with pytest.raises(HashError, match="not the expected lite"):
        required("lite", SET)
    put(shop.folder, "lite.safetensors", b"right")
    assert present("lite", SET) == shop.folder / "lite.safetensors"


def locate_again() -> None:
    from gpen_fast.store import catalog

    catalog.read_catalog.cache_clear()


def test_file_that_cannot_be_read_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    there = put(Path("weights"), "face.pth", DETECTOR)

    def denied(path: Path, *, fresh: bool) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(locate, "sha256_of", denied)
    with pytest.raises(StoreError, match=rf"{there}: cannot be read \(permission denied\)"):
        present("face", SET)
