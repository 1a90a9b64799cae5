"""What the commands on weights write with --json."""

from __future__ import annotations

import json
from pathlib import Path

from reports import problems, strict_schema
from shop import DETECTOR, Shop, put


def document(ran: object) -> dict[str, object]:
    made = json.loads(ran.out)
    assert problems(made, strict_schema()) == []
    return made


def test_every_command_keeps_to_the_schema_and_prints_nothing_else(cli, shop: Shop) -> None:
    face = put(Path("weights"), "face.pth", DETECTOR)
    made = document(cli("weights", "list", "--json", "-"))
    assert (made["command"], made["verdict"], made["failed"]) == ("weights list", "all_done", [])
    assert {one["name"] for one in made["weights"]} > {"face", "net"}
    made = document(cli("weights", "path", "face", "--json", "-"))
    assert [one["path"] for one in made["weights"]] == [str(face.absolute())]
    ran = cli("weights", "verify", "face", "--json", "-")
    assert ran.status == 0
    assert "right  face" in ran.err
    assert document(ran)["weights"][0]["files"][0]["verified"] is True
    made = document(cli("weights", "pull", "face", "--json", "-"))
    assert (made["command"], made["verdict"]) == ("weights pull", "all_done")


def test_what_failed_is_named_with_the_command_that_mends_it(cli, shop: Shop) -> None:
    put(Path("weights"), "face.pth", DETECTOR[:-1])
    ran = cli("weights", "verify", "--json", "v.json")
    assert ran.status == 1
    made = json.loads(Path("v.json").read_text())
    assert problems(made, strict_schema()) == []
    assert made["failed"] == [{"name": "face", "error": "WRONG HASH"}]
    assert made["verdict"] == "some_failed"
    ran = cli("weights", "verify", "net", "--json", "-")
    assert (ran.status, document(ran)["failed"][0]["name"]) == (1, "net")
    ran = cli("weights", "pull", "gpen-bfr-512", "--json", "-")
    made = document(ran)
    assert ran.status == 1
    assert made["failed"][0]["name"] == "gpen-bfr-512"
    assert made["advice"] == ["gpen-fast weights pull gpen-bfr-512"]


def test_an_imported_file_is_told(cli, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "mine.pth").write_bytes(DETECTOR)
    made = document(cli("weights", "import", tmp_path / "mine.pth", "--json", "-"))
    assert [one["name"] for one in made["weights"]] == ["face"]
