"""`pull` fetches a file once, after the licence, verifies or pins it, and tolerates other processes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from pathlib import Path

import pytest
import torch
from hostile import Reply
from shop import DETECTOR, Shop, network_bytes, process, wait_until

from gpen_fast.errors import CheckpointError, DownloadError, HashError, SettingsError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import folders, records
from gpen_fast.store.locate import present, required
from gpen_fast.store.part import part_path
from gpen_fast.store.pull import pull
from gpen_fast.store.transfer import RetryPolicy

QUICK = RetryPolicy(connect_s=1, read_s=1, attempts=2, backoff_s=0.01)


def test_pulled_file_is_found_and_not_fetched_twice(shop: Shop) -> None:
    done = pull("face", retry_policy=QUICK)
    assert done.fetched
    assert done.path == folders.user_cache() / "weights/face.pth"
    assert done.path.read_bytes() == DETECTOR
    assert present("face", WeightsOptions()) == done.path
    again = pull("face", retry_policy=QUICK)
    assert not again.fetched
    assert len(shop.detector.requests) == 1
    pull("face", again=True, retry_policy=QUICK)
    assert len(shop.detector.requests) == 2


def test_another_file_of_that_name_is_not_lost(shop: Shop) -> None:
    mine = folders.user_cache() / "weights/face.pth"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    with pytest.raises(HashError, match=r"face\.pth exists and is another file.*pull face --again"):
        pull("face", retry_policy=QUICK)
    assert mine.read_bytes() == b"mine"
    assert not shop.detector.requests
    pull("face", again=True, retry_policy=QUICK)
    assert mine.read_bytes() == DETECTOR


def test_file_goes_to_the_folder_that_was_named(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = pull("face", WeightsOptions(weights_dir=str(tmp_path / "new/chosen")), retry_policy=QUICK)
    assert chosen.path == tmp_path / "new/chosen/face.pth"
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path / "named"))
    assert pull("face", retry_policy=QUICK).path == tmp_path / "named/face.pth"


def test_offline_touches_no_network(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        DownloadError, match=r"face is not here, and --offline or GPEN_FAST_OFFLINE forbids fetching"
    ):
        pull("face", WeightsOptions(offline=True))
    for value, off in (("1", True), ("yes", True), ("0", False), ("false", False), ("", False)):
        monkeypatch.setenv("GPEN_FAST_OFFLINE", value)
        assert folders.is_offline(WeightsOptions()) is off
    monkeypatch.setenv("GPEN_FAST_OFFLINE", "1")
    with pytest.raises(DownloadError):
        pull("face")
    assert not shop.detector.requests


def test_licence_comes_before_the_first_byte_and_is_remembered(shop: Shop) -> None:
    with pytest.raises(
        DownloadError, match=r"Not for commerce\. To accept and fetch it: .* pull gpen-bfr-512 --yes"
    ):
        pull("gpen-bfr-512", retry_policy=QUICK)
    assert not shop.net.requests
    assert pull("gpen-bfr-512", accept_licence=True, retry_policy=QUICK).fetched
    assert pull("gpen-bfr-512", again=True, retry_policy=QUICK).fetched
    assert "asks" in json.loads(records.record_file().read_text())["licences"]


def test_licence_counts_where_it_cannot_be_remembered(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file")
    monkeypatch.setattr(records, "user_data", lambda: tmp_path / "blocked/data")
    monkeypatch.setattr(records, "read_records", records.Records)
    assert pull("gpen-bfr-512", accept_licence=True, retry_policy=QUICK).fetched


def test_without_an_address(shop: Shop) -> None:
    with pytest.raises(DownloadError, match=r"found has no public address.* import FILE --trust found"):
        pull("found")
    with pytest.raises(DownloadError, match="lite is part of gpen-fast"):
        pull("lite")
    with pytest.raises(SettingsError, match=r"unknown weights 'yunett': accepted are gpen-bfr-512, net"):
        pull("yunett")


def test_first_download_pins_and_a_later_difference_shows_both(shop: Shop) -> None:
    pulled = pull("net", retry_policy=QUICK).path
    (pin,) = records.read_records().accepted["net"]
    assert pin.sha256 == hashlib.sha256(shop.network).hexdigest()
    assert (pin.how, pin.origin) == ("pinned", f"{shop.net.url}/NET.pth")
    changed = network_bytes(shift=1.0)
    shop.net.body = changed
    with pytest.raises(HashError) as raised:
        pull("net", again=True, retry_policy=QUICK)
    now = hashlib.sha256(changed).hexdigest()
    for words in (pin.sha256, now, str(records.record_file()), "gpen-fast weights pull net --repin"):
        assert words in str(raised.value)
    assert pulled.read_bytes() == shop.network, "the good file stays"
    assert not part_path(pulled).exists()
    pull("net", repin=True, retry_policy=QUICK)
    assert pulled.read_bytes() == changed
    assert records.read_records().hashes("net") == [now]
    assert required("net", WeightsOptions()) == pulled


@pytest.mark.parametrize("what", ["page", "torn", "code", "nan", "another"])
def test_only_a_checked_network_is_pinned(shop: Shop, tmp_path: Path, what: str) -> None:
    """The hash of an error page or of half a file must not be pinned, or the true file is refused later."""

    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path}/ran",))

    torch.save({"a": Evil()}, tmp_path / "evil.pth")
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "another.pth")
    shop.net.body = {
        "page": b"<html>sign in</html>",
        "torn": shop.network[:-1000],
        "code": (tmp_path / "evil.pth").read_bytes(),
        "nan": network_bytes(float("nan")),
        "another": (tmp_path / "another.pth").read_bytes(),
    }[what]
    with pytest.raises(CheckpointError):
        pull("net", retry_policy=QUICK)
    assert present("net", WeightsOptions()) is None
    assert not records.read_records().accepted
    assert not (tmp_path / "ran").exists()
    shop.net.body = shop.network
    assert pull("net", retry_policy=QUICK).fetched


def test_a_mirror_replaces_a_source(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.catalog.write_text(
        shop.catalog.read_text().replace(shop.detector.url, "https://weights.invalid/models")
    )
    shop_catalog_changed()
    monkeypatch.setenv("GPEN_FAST_MIRROR", f"weights.invalid={shop.detector.url}")
    assert pull("face", retry_policy=QUICK).fetched
    assert shop.detector.requests[0].path == "/models/face.pth"
    shop.detector.replies = [Reply(status=404)]
    with pytest.raises(
        DownloadError, match=rf"{shop.detector.url}/models/face\.pth \(GPEN_FAST_MIRROR\): 404"
    ):
        pull("face", again=True, retry_policy=QUICK)
    monkeypatch.setenv("GPEN_FAST_MIRROR", "huggingface.co")
    with pytest.raises(SettingsError, match=r"GPEN_FAST_MIRROR 'huggingface\.co' is not understood"):
        pull("face", again=True, retry_policy=QUICK)


def shop_catalog_changed() -> None:
    from gpen_fast.store import catalog

    catalog.read_catalog.cache_clear()


def test_two_processes_fetch_once(shop: Shop) -> None:
    shop.detector.replies = [Reply(stall=300_000)]
    runs = [process(shop, "weights", "pull", "face")]
    wait_until(lambda: shop.detector.served == 300_000, runs[0])
    runs.append(process(shop, "weights", "pull", "face"))
    said = ""
    while "another process is fetching face.pth: waiting for it" not in said:
        said = runs[1].stderr.readline()
        assert said, runs[1].communicate()
    shop.detector.replies = [Reply()]
    shop.detector.let_go.set()
    ended = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], ended
    assert shop.detector.served == len(DETECTOR)
    assert "fetched and verified" in ended[0][0]
    assert "already present" in ended[1][0]


def test_killed_process_leaves_a_part_and_no_lock(shop: Shop) -> None:
    shop.detector.replies = [Reply(stall=300_000)]
    run = process(shop, "weights", "pull", "face")
    part = part_path(Path(os.environ["XDG_CACHE_HOME"]) / "gpen-fast/weights/face.pth")
    try:
        wait_until(lambda: part.exists() and part.stat().st_size >= 200_000, run)
    finally:
        run.kill()
        run.communicate()
    kept = part.stat().st_size
    assert not part.with_name("face.pth").exists()
    shop.detector.replies = [Reply()]
    done = pull("face", retry_policy=QUICK)
    assert done.path.read_bytes() == DETECTOR
    assert shop.detector.requests[-1].start == kept


def test_ctrl_c_says_what_is_kept(shop: Shop) -> None:
    shop.detector.replies = [Reply(stall=300_000)]
    run = process(shop, "weights", "pull", "face")
    wait_until(lambda: shop.detector.served == 300_000, run)
    time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, (out, err)
    assert "interrupted: the bytes received are kept; run the same command to resume" in err
    assert "Traceback" not in err
    part = part_path(Path(os.environ["XDG_CACHE_HOME"]) / "gpen-fast/weights/face.pth")
    assert part.stat().st_size == 300_000


def test_folder_that_cannot_be_made_is_named(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where a folder should be")
    with pytest.raises(DownloadError, match=r"blocked.*Name a writable folder with --weights-dir"):
        pull("face", WeightsOptions(weights_dir=str(tmp_path / "blocked/weights")), retry_policy=QUICK)
    assert not shop.detector.requests
