"""`--model auto`: the best model is fetched where it may be, and what runs instead is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from helpers import BACKEND, EXAMPLES
from hostile import Reply
from safetensors.torch import load_file, save_file
from shop import Shop

from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.store import published, records

WHY = "note: gpen-bfr-512 is not here and was not fetched: "
BETTER = "lite ran; a better model: gpen-fast weights pull gpen-bfr-512"


@pytest.fixture
def portrait(shop: Shop, tiny_weights: Path) -> list[str]:
    """An enhance command, with an embedded network in the shop."""
    save_file(load_file(tiny_weights), shop.folder / "lite.safetensors", metadata={"template": "ffhq"})
    shutil.copy(EXAMPLES / "grace_hopper-degraded.jpg", "in.jpg")
    return ["enhance", "in.jpg", "out.png", "--overwrite", "--json", "r.json"]


def ran_model() -> str:
    return json.loads(Path("r.json").read_text())["weights"][0]["name"]


def test_best_is_fetched_once_its_licence_is_accepted(cli, shop: Shop, portrait: list[str]) -> None:
    ran = cli(*portrait, "--yes")
    assert ran.status == 0
    assert "Not for commerce." in ran.err
    assert f"gpen-bfr-512 ({BACKEND})" in ran.out
    assert BETTER not in ran.out
    report = json.loads(Path("r.json").read_text())
    assert report["weights"] == [{"name": "gpen-bfr-512", "sha256": spec_sha(shop), "random": False}]
    assert len(shop.net.requests) == 1
    assert cli(*portrait).complaints == "", "the second run finds it"
    assert len(shop.net.requests) == 1


def spec_sha(shop: Shop) -> str:
    import hashlib

    return hashlib.sha256(shop.network).hexdigest()


def test_nobody_to_ask_means_the_embedded_model_and_why(cli, shop: Shop, portrait: list[str]) -> None:
    ran = cli(*portrait)
    assert ran.status == 0
    assert (
        ran.complaints
        == f"{WHY}its licence has to be accepted once (gpen-fast weights pull gpen-bfr-512 --yes)\n"
    )
    assert f"lite ({BACKEND})" in ran.out
    assert BETTER in ran.out
    assert ran_model() == "lite"
    assert not shop.net.requests


def test_offline_says_nothing_but_what_ran(cli, shop: Shop, portrait: list[str]) -> None:
    records.accept_licence("asks")
    ran = cli(*portrait, "--offline", "--yes")
    assert ran.status == 0
    assert ran.complaints == ""
    assert BETTER in ran.out
    assert not shop.net.requests


def test_no_network_means_the_embedded_model_in_one_line(cli, shop: Shop, portrait: list[str]) -> None:
    records.accept_licence("asks")
    shop.net.replies = [Reply(status=404)]
    ran = cli(*portrait)
    assert ran.status == 0
    notes = [line for line in ran.err.splitlines() if line.startswith("note")]
    assert notes == [
        "note: gpen-bfr-512 is not here: fetching it (4 MB)",
        f"{WHY}404 Not Found, the first of 2 sources (gpen-fast weights pull gpen-bfr-512 tells all)",
    ]
    assert ran_model() == "lite"


def test_wrong_file_stops_instead_of_being_passed_over(cli, shop: Shop, portrait: list[str]) -> None:
    Path("weights").mkdir()
    Path("weights/GPEN-BFR-512.pth").write_bytes(shop.network[:-5])
    ran = cli(*portrait, "--yes")
    assert ran.status == 2
    assert "weights/GPEN-BFR-512.pth is not the expected gpen-bfr-512" in ran.err
    assert not shop.net.requests
    assert not Path("out.png").exists()


def test_named_models_are_never_fetched_nor_replaced(cli, shop: Shop, portrait: list[str]) -> None:
    records.accept_licence("asks")
    ran = cli(*portrait, "--model", "gpen-bfr-512", "--yes")
    assert ran.status == 2
    assert "error: no weights for gpen-bfr-512: GPEN-BFR-512.pth is not in" in ran.err
    assert "gpen-fast weights pull gpen-bfr-512" in ran.err
    ran = cli(*portrait, "--model", "lite")
    assert ran.status == 0
    assert BETTER not in ran.out
    assert not shop.net.requests


def test_nothing_at_all_is_an_error_with_the_command(cli, shop: Shop, portrait: list[str]) -> None:
    (shop.folder / "lite.safetensors").unlink()
    ran = cli(*portrait)
    assert ran.status == 2
    assert "no weights for any published model" in ran.err
    assert "To get the best: gpen-fast weights pull gpen-bfr-512" in ran.err


def test_nothing_to_do_asks_nothing(cli, shop: Shop, portrait: list[str]) -> None:
    shutil.copy("in.jpg", "out.jpg")
    ran = cli("enhance", "in.jpg", "out.jpg", "--yes")
    assert ran.status == 0
    assert ran.complaints == (
        "note out.jpg: 1 made without a record of their settings: taken as done (--overwrite restores them again).\n"
    )
    assert cli("enhance", "in.jpg", "other.jpg", "--dry-run", "--yes").err == ""
    assert not shop.net.requests


def test_profile_does_the_same(cli, shop: Shop, portrait: list[str]) -> None:
    ran = cli("profile", "in.jpg", "--runs", "1", "--warmup", "0", "--yes")
    assert ran.status == 0
    assert f"gpen-bfr-512 ({BACKEND})" in ran.out


def test_embedded_figures_are_checked_once_they_are_known(
    cli, shop: Shop, portrait: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = config_from_arguments(32, style_dim=64, channel_multiplier=1, narrow=0.125)
    monkeypatch.setitem(published.PUBLISHED, "lite", published.ModelSpec("lite", "lite.safetensors", wrong))
    ran = cli(*portrait, "--offline")
    assert ran.status == 2
    assert "holds net, but lite was asked for" in ran.err
