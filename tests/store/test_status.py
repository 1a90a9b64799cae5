"""The state of a file, for people and for programs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from shop import DETECTOR, Shop, network_bytes, put

from gpen_fast.errors import SettingsError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import folders, records
from gpen_fast.store.part import part_path
from gpen_fast.store.status import Status, statuses

OPTIONS = WeightsOptions()


def status(name: str) -> Status:
    (found,) = statuses(OPTIONS, [name])
    return found


def test_files_that_are_not_here(shop: Shop) -> None:
    states = {name: status(name).state for name in ("face", "found", "lite")}
    assert states == {"face": "not here", "found": "not here (import)", "lite": "missing"}
    told = status("face").as_dict()
    assert (told["path"], told["files"], told["get_it"]) == (None, [], "gpen-fast weights pull face")
    assert told["partial_bytes"] == 0


def test_files_that_are_here(shop: Shop) -> None:
    folder = Path("weights")
    put(folder, "face.pth", DETECTOR)
    put(folder, "NET.pth", network_bytes(0.5))
    put(folder, "found.onnx", b"?")
    put(shop.folder, "lite.safetensors", b"x")
    states = {name: status(name).state for name in ("face", "net", "found", "lite")}
    assert states == {"face": "verified", "net": "no hash known", "found": "NOT TRUSTED", "lite": "embedded"}
    assert status("found").used is None
    records.accept("net", "0" * 64, records.PINNED, "there")
    assert status("net").state == "WRONG HASH"


def test_the_used_copy_is_the_first_usable_one_and_decides_the_state(shop: Shop) -> None:
    wrong = put(Path("weights"), "face.pth", b"wrong")
    right = put(folders.user_cache() / "weights", "face.pth", DETECTOR)
    found = status("face")
    assert [copy.path for copy in found.copies] == [wrong, right]
    assert found.used is found.copies[1]
    assert found.state == "verified"
    told = found.as_dict()
    assert told["path"] == str(right)
    assert told["accepted_sha256"] == [hashlib.sha256(DETECTOR).hexdigest()]
    assert [file["used"] for file in told["files"]] == [False, True]  # type: ignore[attr-defined]
    assert told["get_it"] is None


def test_an_unfinished_download_is_counted(shop: Shop) -> None:
    part = part_path(folders.download_folder(OPTIONS) / "face.pth")
    put(part.parent, part.name, b"12345")
    assert status("face").partial == 5
    assert status("face").state == "partly fetched"


def test_all_files_come_in_the_catalogs_order_and_unknown_names_are_refused(shop: Shop) -> None:
    names = [one.entry.name for one in statuses(OPTIONS)]
    assert names[:5] == ["gpen-bfr-512", "net", "lite", "face", "found"]
    with pytest.raises(SettingsError, match="unknown weights 'nose'"):
        statuses(OPTIONS, ["nose"])
    with pytest.raises(SettingsError, match="no such folder"):
        statuses(WeightsOptions(weights_dir="nowhere"))
