"""The user's record is never damaged, and several processes may write it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from shop import DETECTOR, Shop, put

from gpen_fast.errors import StoreError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import records
from gpen_fast.store.locate import present


def test_simultaneous_writers_lose_nothing() -> None:
    names = [f"net-{i}" for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: records.accept(name, "0" * 64, records.PINNED, "here"), names))
    assert sorted(records.read_records().accepted) == sorted(names)


def test_a_hash_is_recorded_once_with_its_latest_reason() -> None:
    for sha, how in (("a", records.PINNED), ("b", records.TRUSTED), ("a", records.TRUSTED)):
        records.accept("net", sha, how, "here")
    assert records.read_records().hashes("net") == ["b", "a"]
    records.accept("net", "c", records.PINNED, "there", replace=True)
    assert records.read_records().hashes("net") == ["c"]


def test_interrupted_write_leaves_the_old_record(monkeypatch: pytest.MonkeyPatch) -> None:
    records.accept("net", "a", records.PINNED, "here")

    def interrupted(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            records.accept("net", "b", records.PINNED, "here")
    assert records.read_records().hashes("net") == ["a"]
    assert json.loads(records.record_file().read_text())["schema"] == 1
    assert sorted(path.name for path in records.record_file().parent.iterdir()) == [
        ".weights-lock.json.lock",
        "weights-lock.json",
    ]


def test_record_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blocked").write_text("a file")
    monkeypatch.setattr(records, "user_data", lambda: tmp_path / "blocked/data")
    monkeypatch.setattr(records, "read_records", records.Records)
    with pytest.raises(StoreError, match=r"blocked/data/weights-lock\.json: cannot be written"):
        records.accept("net", "a", records.PINNED, "here")


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
            present("face", WeightsOptions())
        with pytest.raises(StoreError):
            records.accept_licence("mit")
        assert path.read_text() == text
