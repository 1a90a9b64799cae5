"""What a file is: by its hash, by its tensors, and what is refused either way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from shop import DETECTOR, Shop, network_bytes, put

from gpen_fast.errors import CheckpointError, HashError
from gpen_fast.store import records
from gpen_fast.store.identify import by_hash, by_tensors, check_tensors, network_in


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_hash_is_known_if_it_is_published_or_accepted_by_the_user(shop: Shop) -> None:
    found = by_hash(sha(DETECTOR))
    assert found is not None
    assert found.name == "face"
    assert by_hash(sha(b"mine")) is None
    records.accept("found", sha(b"mine"), records.TRUSTED, "here")
    trusted = by_hash(sha(b"mine"))
    assert trusted is not None
    assert trusted.name == "found"


def test_a_network_is_known_by_its_shapes_whatever_its_values(shop: Shop, tmp_path: Path) -> None:
    file = put(tmp_path, "some.pth", network_bytes(0.25))
    assert network_in(file) == "net"
    assert by_tensors(file, sha(network_bytes(0.25))).name == "net"


def test_what_no_tensors_can_tell_is_refused_with_its_hash(shop: Shop, tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.ones(3)}, tmp_path / "other.pth")
    for file in (tmp_path / "other.pth", put(tmp_path, "x.onnx", b"?")):
        with pytest.raises(HashError, match="not a GPEN network") as raised:
            by_tensors(file, "5ha")
        assert "its sha256: 5ha" in str(raised.value)
        assert "found" in str(raised.value), "the detectors that it could be are named"


def test_tensors_are_checked_in_nested_state_dicts_too(tmp_path: Path) -> None:
    torch.save({"a": {"b": torch.ones(2)}, "epoch": 3}, tmp_path / "good.pth")
    check_tensors(tmp_path / "good.pth")
    torch.save({"a": {"b": torch.ones(2), "c": torch.tensor([float("nan")])}}, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=r"bad\.pth: 1 tensors hold NaN or infinity, the first is c"):
        check_tensors(tmp_path / "bad.pth")
