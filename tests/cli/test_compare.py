"""`gpen-fast compare` as a user runs it."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from helpers import photo, write_photo
from PIL import Image
from reports import problems, strict_schema


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "basicsr", None)
    for number in range(3):
        write_photo(Path(f"a/{number}.png"), seed=number)
    array = photo(seed=0)
    Path("b").mkdir()
    Image.fromarray(array).save("b/0.png")
    Image.fromarray(photo(seed=1)).save("b/1.jpg", quality=60)
    return tmp_path


def test_two_identical_files(cli, sides: Path) -> None:
    ran = cli("compare", "a/0.png", "b/0.png", "--json", "r.json")
    assert ran.status == 0
    assert "identical" in ran.out
    made = json.loads(Path("r.json").read_text())
    assert problems(made, strict_schema()) == []
    (row,) = made["pictures"]
    assert (row["identical"], row["psnr"], row["ssim"]) == (True, None, 1.0)
    assert (made["verdict"], made["mean"]["psnr"]) == ("all_done", None)


def test_two_folders(cli, sides: Path) -> None:
    ran = cli("compare", "a", "b", "--json", "r.json", "--csv", "r.csv")
    assert ran.status == 1
    assert "failed a/2.png: b has no picture of this name." in ran.err
    lines = ran.out.splitlines()
    assert lines[0].split() == ["picture", "PSNR", "dB", "SSIM"]
    assert [line.split()[0] for line in lines[1:4]] == ["b/0.png", "b/1.jpg", "mean"]
    assert max(len(line) for line in lines[:5]) <= 80
    assert "NIQE needs the package basicsr" in ran.out
    made = json.loads(Path("r.json").read_text())
    assert problems(made, strict_schema()) == []
    assert made["alone"] == [{"path": "a/2.png", "error": "b has no picture of this name."}]
    assert made["mean"]["psnr"] == made["pictures"][1]["psnr"]
    assert set(made["missing"]) == {"niqe", "lpips"}
    table = list(csv.DictReader(Path("r.csv").read_text().splitlines()))
    assert [row["identical"] for row in table] == ["true", "false"]
    assert float(table[1]["psnr"]) == made["pictures"][1]["psnr"]
    assert table[1]["niqe_b"] == ""


def test_below_min_psnr_ends_with_status_1(cli, sides: Path) -> None:
    assert cli("compare", "a/1.png", "b/1.jpg", "--min-psnr", "20").status == 0
    ran = cli("compare", "a/1.png", "b/1.jpg", "--min-psnr", "60", "--json", "r.json")
    assert ran.status == 1
    assert "below --min-psnr 60 dB: b/1.jpg" in ran.err
    made = json.loads(Path("r.json").read_text())
    assert (made["verdict"], made["below_min_psnr"]) == ("below_min_psnr", ["b/1.jpg"])
    assert cli("compare", "a/0.png", "b/0.png", "--min-psnr", "60").status == 0, "identical is above any"


def test_what_cannot_be_compared_is_named(cli, sides: Path) -> None:
    write_photo(Path("small.png"), height=20, width=30)
    ran = cli("compare", "a/0.png", "small.png")
    assert ran.status == 1
    assert (
        "failed small.png: not compared with a/0.png: the sizes differ: 80 x 60 and 30 x 20 pixels."
        in ran.err
    )
    Path("bad.png").write_text("x")
    ran = cli("compare", "bad.png", "a/0.png")
    assert ran.status == 1
    assert "bad.png: not a picture" in ran.err
    ran = cli("compare", "a", "b/0.png")
    assert ran.status == 2
    assert "accepted are two pictures or two folders" in ran.err
    ran = cli("compare", "a/0.png", "b/0.png", "--csv", "-")
    assert ran.status == 2
    assert "--csv -: accepted is a file" in ran.err


def test_json_alone_on_standard_output(cli, sides: Path) -> None:
    ran = cli("compare", "a/0.png", "b/0.png", "--json", "-")
    assert json.loads(ran.out)["command"] == "compare"
    assert "identical" in ran.err
