"""`import` identifies a file by its hash, its tensors or the user's word."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from shop import DETECTOR, Shop, network_bytes

from gpen_fast.errors import CheckpointError, HashError, SettingsError, WeightsNotFoundError
from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import folders, records
from gpen_fast.store.importing import import_file
from gpen_fast.store.locate import present, required

SET = WeightsOptions()


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def write(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def test_known_by_its_hash_whatever_its_name(shop: Shop, mine: Path) -> None:
    file = write(mine, "download (1).pth", DETECTOR)
    done = import_file(file)
    assert (done.name, done.how, done.copied) == ("face", "hash", True)
    assert done.path == folders.user_cache() / "weights/face.pth" == required("face", SET)
    assert file.exists()
    assert not records.read_records().accepted, "a published hash needs no record"
    assert not import_file(file).copied


def test_network_known_by_its_tensors_and_recorded(shop: Shop, mine: Path) -> None:
    done = import_file(write(mine, "some.pt", shop.network.replace(b"", b"", 0) + b""), SET)
    assert (done.name, done.how) == ("gpen-bfr-512", "hash")
    data = network_bytes(0.5)
    done = import_file(write(mine, "other.pt", data))
    assert (done.name, done.how, done.path.name) == ("net", "tensors", "NET.pth")
    (record,) = records.read_records().accepted["net"]
    assert (record.sha256, record.how) == (hashlib.sha256(data).hexdigest(), "imported")
    assert record.origin == str(mine / "other.pt")


def test_safetensors_keep_their_suffix(shop: Shop, mine: Path, tiny_weights: Path) -> None:
    state = load_file(tiny_weights)
    save_file(state, mine / "x.safetensors")
    done = import_file(mine / "x.safetensors")
    assert done.path.name == "NET.safetensors"
    assert required("net", SET) == done.path


def test_network_that_is_not_the_accepted_one_needs_trust(shop: Shop, mine: Path) -> None:
    import_file(write(mine, "first.pth", network_bytes(0.5)))
    second = write(mine, "second.pth", network_bytes(0.6))
    with pytest.raises(HashError, match="has the shapes of net, but not an accepted hash"):
        import_file(second)
    with pytest.raises(HashError, match=r"NET\.pth exists and is another file. To replace it: --overwrite"):
        import_file(second, trust="net")
    done = import_file(second, trust="net", overwrite=True)
    assert done.how == "trust"
    assert required("net", SET).read_bytes() == second.read_bytes()


def test_detector_without_a_known_hash_needs_trust(shop: Shop, mine: Path) -> None:
    """Other weights of the same names and shapes load without an error and detect wrong boxes."""
    torch.save({"body.conv.weight": torch.ones(3)}, mine / "face.pth")
    with pytest.raises(
        HashError, match=r"A detector is identified by its hash only.*--trust NAME, with NAME one of face"
    ):
        import_file(mine / "face.pth")
    assert present("face", SET) is None
    done = import_file(mine / "face.pth", trust="face")
    assert done.how == "trust"
    assert required("face", SET) == done.path
    done.path.write_bytes(b"changed later")
    with pytest.raises(HashError):
        required("face", SET)


def test_files_that_belong_together_come_together(shop: Shop, mine: Path) -> None:
    weights = write(mine, "found.weights", b"w")
    with pytest.raises(WeightsNotFoundError, match=r"found\.cfg is missing: it belongs to the weights"):
        import_file(weights, trust="found")
    assert present("found", SET) is None
    write(mine, "found.cfg", b"c")
    done = import_file(weights, trust="found")
    assert done.path.with_name("found.cfg").read_bytes() == b"c"
    assert required("found", SET) == done.path


def test_a_file_that_belongs_to_another_may_share_its_name(shop: Shop, mine: Path) -> None:
    write(mine, "my.cfg", b"c")
    done = import_file(write(mine, "my.weights", b"w"), trust="found")
    assert done.path.name == "found.weights"
    assert done.path.with_name("found.cfg").read_bytes() == b"c"
    other = import_file(
        write(mine, "alone.onnx", b"o"),
        trust="found",
        options=WeightsOptions(weights_dir=str(mine / "x")),
    )
    assert [path.name for path in other.path.parent.iterdir() if not path.name.startswith(".")] == [
        "found.onnx"
    ]


def test_pickle_with_code_is_refused_and_never_runs(shop: Shop, mine: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {mine}/ran",))

    torch.save({"generator.input.input": Evil()}, mine / "evil.pth")
    for trust in (None, "net", "face"):
        with pytest.raises(CheckpointError, match="a pickle that carries code; none of it was run"):
            import_file(mine / "evil.pth", trust=trust)
    assert not (mine / "ran").exists()
    assert not (folders.user_cache() / "weights").exists()


def test_nan_damage_and_unknown_files_are_refused(shop: Shop, mine: Path) -> None:
    with pytest.raises(CheckpointError, match="NaN or infinity"):
        import_file(write(mine, "nan.pth", network_bytes(float("nan"))))
    torch.save({"a": {"b": torch.tensor([float("inf")])}}, mine / "inf.pth")
    with pytest.raises(CheckpointError, match="NaN or infinity, the first is b"):
        import_file(mine / "inf.pth", trust="face")
    with pytest.raises(CheckpointError, match="Fetch it again"):
        import_file(write(mine, "torn.pth", shop.network[:-99]))
    torch.save(
        random_state(config_from_arguments(32, style_dim=64, channel_multiplier=1, narrow=0.125)),
        mine / "small.pth",
    )
    with pytest.raises(
        CheckpointError, match=r"are of no published one \(custom-32\)\. Use it without importing"
    ):
        import_file(mine / "small.pth")
    with pytest.raises(HashError, match="is not a file that gpen-fast knows"):
        import_file(write(mine, "x.onnx", b"?"))
    with pytest.raises(
        WeightsNotFoundError, match=r"absent\.pth: no such file\. import takes one weights file"
    ):
        import_file(mine / "absent.pth")
    with pytest.raises(WeightsNotFoundError, match="is a folder"):
        import_file(mine)
    assert not (folders.user_cache() / "weights").exists()


def test_trust_that_contradicts_what_is_known(shop: Shop, mine: Path) -> None:
    file = write(mine, "face.pth", DETECTOR)
    with pytest.raises(SettingsError, match=r"has the hash of face: leave --trust found out"):
        import_file(file, trust="found")
    with pytest.raises(SettingsError, match="lite is part of gpen-fast and cannot be replaced"):
        import_file(write(mine, "a.onnx", b""), trust="lite")
    with pytest.raises(SettingsError, match=r"found is stored as \.onnx, \.weights, not as \.bin"):
        import_file(write(mine, "a.bin", b"x"), trust="found")
    assert import_file(file, trust="face").how == "hash"


def test_source_that_changes_while_it_is_copied(
    shop: Shop, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpen_fast.errors import DownloadError
    from gpen_fast.store import importing

    file = write(mine, "face.pth", DETECTOR)
    write_lock = importing.write_lock

    def change_first(final, progress):
        file.write_bytes(DETECTOR[:-1] + b"!")
        return write_lock(final, progress)

    monkeypatch.setattr(importing, "write_lock", change_first)
    with pytest.raises(DownloadError, match="changed while it was copied"):
        import_file(file)
    assert present("face", SET) is None
