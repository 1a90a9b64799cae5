"""What the doctor says of weights: the ones that a run would use, every file, mirrors."""

from __future__ import annotations

from pathlib import Path

import pytest
from shop import DETECTOR, Shop, put

from gpen_fast.doctor import store
from gpen_fast.settings import WeightsOptions

OPTIONS = WeightsOptions()


def test_the_network_of_auto_and_the_command_that_gets_a_better_one(shop: Shop) -> None:
    (nothing,) = store.network(OPTIONS)
    assert (nothing.state, nothing.needed) == ("broken", True)
    assert nothing.text == "no weights for any published model"
    assert nothing.mend == "gpen-fast weights pull gpen-bfr-512"
    lite = put(shop.folder, "lite.safetensors", b"x")
    (embedded,) = store.network(OPTIONS)
    assert (embedded.state, embedded.text) == ("ok", f"lite ({lite})")
    assert embedded.mend == "gpen-fast weights pull gpen-bfr-512"
    put(Path("weights"), "GPEN-BFR-512.pth", shop.network)
    (best,) = store.network(OPTIONS)
    assert (best.state, best.mend) == ("ok", "")


def test_a_wrong_file_of_the_best_network_is_fetched_again(shop: Shop) -> None:
    put(Path("weights"), "GPEN-BFR-512.pth", b"wrong")
    (found,) = store.network(OPTIONS)
    assert found.state == "broken"
    assert found.text.startswith("weights/GPEN-BFR-512.pth is not the expected gpen-bfr-512")
    assert found.mend == "gpen-fast weights pull gpen-bfr-512 --again"


def test_every_file_and_what_repairs_it(shop: Shop) -> None:
    put(Path("weights"), "face.pth", DETECTOR[:-1])
    put(Path("weights"), "found.onnx", b"?")
    found = {finding.name: finding for finding in store.files(OPTIONS)}
    assert (found["face"].state, found["face"].text) == ("broken", "WRONG HASH: weights/face.pth")
    assert found["face"].mend == "gpen-fast weights pull face --again"
    assert (found["found"].state, found["found"].text) == ("broken", "NOT TRUSTED: weights/found.onnx")
    assert found["found"].mend == "gpen-fast weights import FILE --trust found"
    assert (found["net"].state, found["net"].text, found["net"].mend) == ("absent", "not here", "")
    put(Path("weights"), "face.pth", DETECTOR)
    right = next(finding for finding in store.files(OPTIONS) if finding.name == "face")
    assert (right.state, right.text, right.mend) == ("ok", "verified: weights/face.pth", "")


def test_mirror_and_offline(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(store.addresses(OPTIONS)) == []
    (offline,) = store.addresses(WeightsOptions(offline=True))
    assert (offline.name, offline.text) == ("network", "offline: never used")
    monkeypatch.setenv("GPEN_FAST_MIRROR", "https://me:secret@mirror.example/weights")
    (mirror,) = store.addresses(OPTIONS)
    assert (mirror.state, mirror.text) == ("ok", "https://mirror.example/weights")
    monkeypatch.setenv("GPEN_FAST_MIRROR", "mirror.example")
    (wrong,) = store.addresses(OPTIONS)
    assert wrong.state == "broken"
    assert "Accepted: a folder's address" in wrong.text


def test_the_detector_of_auto_without_any_weights(shop: Shop) -> None:
    (found,) = store.detector("cpu", OPTIONS)
    assert (found.name, found.state, found.text) == ("--detector auto", "ok", "haar")
