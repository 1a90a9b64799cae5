"""Cached hashes save work and are never stale."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from gpen_fast.store import hashes
from gpen_fast.store.hashes import Hash, sha256_of


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of files that were just written are cached too."""
    monkeypatch.setattr(hashes, "_SETTLED_NS", 0)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_second_hash_comes_from_the_cache_and_says_so(tmp_path: Path, settled: None) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    assert sha256_of(file) == Hash(sha(b"one"), remembered=False)
    assert sha256_of(file) == Hash(sha(b"one"), remembered=True)
    assert sha256_of(file, fresh=True) == Hash(sha(b"one"), remembered=False)


def test_changed_file_is_read_again_though_size_and_date_are_put_back(tmp_path: Path, settled: None) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    sha256_of(file)
    before = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert sha256_of(file) == Hash(sha(b"two"), remembered=False)


def test_replaced_file_is_read_again(tmp_path: Path, settled: None) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_bytes(b"one")
    sha256_of(file)
    other.write_bytes(b"two")
    other.replace(file)
    assert sha256_of(file) == Hash(sha(b"two"), remembered=False)


def test_file_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    assert not sha256_of(file).remembered
    assert not sha256_of(file).remembered


@pytest.mark.parametrize("text", ["", "{", "[]", '{"%s": 5}', '{"%s": ["x"]}'])
def test_a_damaged_cache_counts_as_empty(tmp_path: Path, settled: None, text: str) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    sha256_of(file)
    hashes._cache_file().write_text(text.replace("%s", str(file)))
    assert sha256_of(file) == Hash(sha(b"one"), remembered=False)
    assert sha256_of(file).remembered


def test_a_cache_that_cannot_be_written_is_no_error(
    tmp_path: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file")
    monkeypatch.setattr(hashes, "user_cache", lambda: tmp_path / "blocked/cache")
    file = tmp_path / "a"
    file.write_bytes(b"one")
    assert sha256_of(file).sha256 == sha(b"one")
    assert not sha256_of(file).remembered


def test_deleted_files_leave_the_cache(tmp_path: Path, settled: None) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    sha256_of(tmp_path / "a")
    (tmp_path / "a").unlink()
    sha256_of(tmp_path / "b")
    assert list(hashes._cached()) == [str(tmp_path / "b")]
