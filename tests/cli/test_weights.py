"""`gpen-fast weights` as a user runs it."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import sys
import time
from pathlib import Path

import pytest
from hostile import Reply
from shop import DETECTOR, Shop, network_bytes, process, put

from gpen_fast.store import folders, hashes, records
from gpen_fast.store.shipped import shipped


def row(out: str, name: str) -> str:
    return next(line for line in out.splitlines() if line.split()[:1] == [name])


def test_list_shows_what_is_here_and_how_to_get_the_rest(
    cli, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "_SETTLED_NS", 0)
    face = put(Path("weights"), "face.pth", DETECTOR)
    put(Path("weights"), "NET.pth", shop.network)
    found = put(folders.user_cache() / "weights", "found.onnx", b"?")
    put(folders.user_cache() / "weights", ".partial-GPEN-BFR-512.pth", b"1234567")
    ran = cli("weights", "list")
    assert ran.status == 0
    assert "verified" in row(ran.out, "face")
    assert "remembered" not in row(ran.out, "face")
    assert "verified (remembered)" in row(cli("weights", "list").out, "face")
    for name, words in (("gpen-bfr-512", "partly fetched"), ("net", "no hash known"), ("lite", "missing"),
                        ("found", "NOT TRUSTED")):  # fmt: skip
        assert words in row(ran.out, name)
    assert "non-commercial" in row(ran.out, "gpen-bfr-512")
    assert f"face: {face.absolute()}" in ran.out
    assert f"found: {found}  (NOT TRUSTED)" in ran.out
    order = ["1 --weights-dir:", "2 GPEN_FAST_WEIGHTS:", "3 ./weights:", "4 user cache:", "5 facexlib:"]
    assert [ran.out.index(line) for line in order] == sorted(ran.out.index(line) for line in order)
    assert "Not for commerce." in ran.out
    assert "\x1b" not in ran.out
    assert "gpen-fast weights pull NAME" in ran.out


def test_embedded_weights_are_mended_by_pip(cli, tmp_path: Path) -> None:
    mend = "To repair it: pip install --force-reinstall gpen-fast"
    for name in ("gpen-lite-256", "landmarks-lite", "proposer-lite"):
        assert f"failed: {name} is part of gpen-fast and is not fetched. {mend}" in (
            cli("weights", "pull", name, "--again").err
        )
    ran = cli("weights", "import", shipped("landmarks-lite.safetensors"))
    assert f"error: landmarks-lite is part of gpen-fast and cannot be replaced. {mend}" in ran.err


def test_list_for_programs(cli, shop: Shop) -> None:
    face = put(Path("weights"), "face.pth", DETECTOR)
    told = json.loads(cli("weights", "list", "--json", "-").out)
    by_name = {one["name"]: one for one in told["weights"]}
    assert by_name["face"]["path"] == str(face.absolute())
    assert by_name["face"]["files"][0]["sha256"] == hashlib.sha256(DETECTOR).hexdigest()
    assert by_name["face"]["files"][0]["verified"] is True
    assert by_name["net"]["path"] is None
    assert by_name["net"]["get_it"] == "gpen-fast weights pull net"
    assert told["folders"][0] == {"why": "--weights-dir", "path": None}


def test_path_is_a_path_and_nothing_else(cli, shop: Shop) -> None:
    face = put(Path("weights"), "face.pth", DETECTOR)
    assert cli("weights", "path", "face").out == f"{face.absolute()}\n"
    ran = cli("weights", "path", "net")
    assert (ran.status, ran.out) == (2, "")
    assert "error: no weights for net: NET.pth is not in" in ran.err
    assert "gpen-fast weights pull net" in ran.err


def test_verify_reads_again_and_counts_the_wrong_ones(
    cli, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "_SETTLED_NS", 0)
    face = put(Path("weights"), "face.pth", DETECTOR)
    put(Path("weights"), "NET.pth", shop.network)
    ran = cli("weights", "verify")
    assert ran.status == 0
    assert f"right  face: {face.absolute()}" in ran.out
    assert "no hash known  net:" in ran.out
    memory = json.loads(hashes._cache_file().read_text())
    face.write_bytes(DETECTOR[:-1] + b"!")
    assert hashes._identity(face)[0] == memory[str(face.absolute())][0]
    monkeypatch.setattr(hashes, "_identity", lambda path: memory.get(str(path.resolve()), [0] * 5)[:4])
    assert cli("weights", "verify", "net").status == 0
    ran = cli("weights", "verify")
    assert ran.status == 1
    assert f"WRONG  face: {face.absolute()}" in ran.out
    assert hashlib.sha256(DETECTOR).hexdigest() in ran.out
    assert "get it   gpen-fast weights pull face --again" in ran.out


def test_pull_says_where_it_went(cli, shop: Shop) -> None:
    ran = cli("weights", "pull", "face")
    assert ran.status == 0
    path = folders.user_cache() / "weights/face.pth"
    assert ran.out == f"face: fetched and verified\n  {path}\n"
    assert ran.err == "face: fetching 0.7 MB\n"
    assert cli("weights", "pull", "face").out == f"face: already present\n  {path}\n"


def test_pull_needs_the_licence_and_shows_it(cli, shop: Shop) -> None:
    ran = cli("weights", "pull", "gpen-bfr-512", "face")
    assert ran.status == 1
    assert "Not for commerce." in ran.err
    assert (
        "failed: gpen-bfr-512: licence not accepted. To accept it: gpen-fast weights pull gpen-bfr-512 --yes"
        in ran.err
    )
    assert ran.err.count("Not for commerce.") == 1
    assert "face: fetched and verified" in ran.out, "one failure does not stop the others"
    assert not shop.net.requests
    ran = cli("weights", "pull", "gpen-bfr-512", "--yes")
    assert ran.status == 0
    assert "Not for commerce." in ran.err
    ran = cli("weights", "pull", "gpen-bfr-512", "--again")
    assert ran.status == 0
    assert "Not for commerce." not in ran.err, "it was accepted"


def test_pull_of_what_nobody_published_a_hash_of(cli, shop: Shop) -> None:
    assert cli("weights", "pull", "net").out.startswith(
        "net: fetched, its contents checked, and its hash pinned\n"
    )
    assert "verified" in row(cli("weights", "list").out, "net")


def test_pull_all(cli, shop: Shop) -> None:
    ran = cli("weights", "pull", "--all", "--yes")
    assert ran.status == 0
    assert re.findall(r"^(\S+): fetched", ran.out, re.MULTILINE) == ["gpen-bfr-512", "net", "face"]
    for arguments in ([], ["face", "--all"]):
        ran = cli("weights", "pull", *arguments)
        assert ran.status == 2
        assert "pull takes names, or --all" in ran.err


def test_pull_that_fails_names_every_source(cli, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpen_fast.store.transfer.time.sleep", lambda seconds: None)
    shop.net.replies = [Reply(status=403)]
    ran = cli("weights", "pull", "gpen-bfr-512", "--yes")
    assert ran.status == 1
    assert f"failed: no source delivered GPEN-BFR-512.pth:\n  {shop.net.url}/GPEN-BFR-512.pth: 403" in ran.err
    assert "http://127.0.0.1:1/GPEN-BFR-512.pth: connection refused" in ran.err
    ran = cli("weights", "pull", "net", "--offline")
    assert ran.status == 1
    assert "failed: net is not here, and --offline or GPEN_FAST_OFFLINE forbids fetching it" in ran.err


def test_import(cli, shop: Shop, tmp_path: Path) -> None:
    file = put(tmp_path / "mine", "download.pth", DETECTOR)
    ran = cli("weights", "import", file)
    assert ran.status == 0
    assert "face, identified by its hash\n" in ran.out
    assert str(folders.user_cache() / "weights/face.pth") in ran.out
    file = put(tmp_path / "mine", "other.onnx", b"?")
    ran = cli("weights", "import", file)
    assert ran.status == 2
    assert "If you trust this file, name it: --trust NAME" in ran.err
    file = put(tmp_path / "mine", "n.pth", network_bytes(0.3))
    assert "net, identified by its tensors' shapes" in cli("weights", "import", file).out


@pytest.mark.parametrize("answer", ["y\n", "n\n", "\x04"])
def test_person_at_a_terminal_is_asked(shop: Shop, answer: str) -> None:
    ours, theirs = pty.openpty()
    run = process(shop, "weights", "pull", "gpen-bfr-512", stdin=theirs, stderr=theirs)
    os.close(theirs)
    seen = ""
    deadline = time.monotonic() + 60
    while "[y/N]" not in seen and time.monotonic() < deadline:
        seen += os.read(ours, 1000).decode()
    assert "Not for commerce." in seen
    assert not shop.net.requests, "nothing is fetched before the answer"
    os.write(ours, answer.encode())
    out, _ = run.communicate(timeout=60)
    os.close(ours)
    assert run.returncode == (0 if answer == "y\n" else 1), out
    assert bool(shop.net.requests) == (answer == "y\n")
    # A no is recorded too; the end of input is no answer.
    assert records.record_file().exists() == (answer != "\x04")
    assert ("asks" in records.read_records().declined) == (answer == "n\n")


def test_help_loads_no_torch_and_no_http() -> None:
    import subprocess

    code = """
import sys
from gpen_fast.cli.app import main
sys.argv = ["gpen-fast", "weights", "list", "--help"]
try:
    main()
finally:
    print([name for name in ("torch", "numpy", "requests", "filelock") if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"
