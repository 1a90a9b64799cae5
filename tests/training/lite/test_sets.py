"""What is held out of a set, what is left out because it is held out elsewhere, and how the sets are weighed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from lite_sets import write_set
from PIL import Image

from gpen_fast.errors import InputsError
from gpen_fast.training.lite.sets import open_store, read_set_faces, read_sets

CPU = torch.device("cpu")


def held(rows: list) -> list:
    return [row for row in rows if row.held_out]


def many(tmp_path: Path) -> Path:
    """240 rows: small sources a, b; large c, d with two people in several pictures each; e is in the other set too."""
    rows = [("a/a", f"a{i}", f"{i}.jpg") for i in range(20)] + [
        ("b/b", f"b{i}", f"{i}.jpg") for i in range(25)
    ]
    rows += [("c/c", f"c{i // 3}", f"{i}.jpg") for i in range(90)]
    rows += [("d/d", f"d{i}", f"{i // 3}.jpg") for i in range(90)]
    rows += [("e/e", f"e{i}", f"{i}.jpg") for i in range(15)]
    return write_set(tmp_path / "more", [(*row, "train") for row in rows])


def first(tmp_path: Path) -> Path:
    rows = [
        ("e/e", "e-one", "x.jpg", "train"),
        ("f/f", "f-one", "y.jpg", "held-out"),
        ("f/f", "a7", "z.jpg", "train"),
    ]
    return write_set(
        tmp_path / "first", [*rows, ("f/f", "c2", "w.jpg", "train"), ("f/f", "f-two", "0.jpg", "train")]
    )


def test_holds_out_60_by_source_then_by_picture_and_person(tmp_path: Path) -> None:
    _, rows = read_sets([first(tmp_path), many(tmp_path)])
    out = held(rows)
    # Pictures of d and people of c come by threes: 45 of whole sources and 15 more.
    assert len(out) == 60
    assert [sum(row.repository == f"github:{name}/{name}" for row in out) for name in "abe"] == [20, 25, 0]
    trained = [row for row in rows if not row.held_out]
    assert not {row.person for row in out} & {row.person for row in trained}
    assert not {row.source for row in out} & {row.source for row in trained}
    assert {row.repository for row in out} >= {"github:c/c", "github:d/d"}


def test_the_choice_does_not_depend_on_the_order_of_the_rows(tmp_path: Path) -> None:
    folder = many(tmp_path)
    before = {row.file for row in held(read_sets([folder])[0])}
    head, *lines = (folder / "manifest.csv").read_text().splitlines()
    (folder / "manifest.csv").write_text("\n".join([head, *reversed(lines)]) + "\n")
    assert {row.file for row in held(read_sets([folder])[0])} == before


def test_who_is_held_out_in_one_set_is_trained_on_in_none(tmp_path: Path) -> None:
    """a7's source is held out of the wider set, so the first set's picture of a7 is not trained on."""
    rows, _ = read_sets([first(tmp_path), many(tmp_path)])
    assert "a7" not in {row.person for row in rows}
    assert [row.person for row in held(rows)] == ["f-one"]
    assert "e-one" in {row.person for row in rows}


def test_sets_count_alike(tmp_path: Path) -> None:
    sets = read_sets([first(tmp_path), many(tmp_path)])
    numbers = [sum(not row.held_out for row in rows) for rows in sets]
    store = open_store(sets, 32, CPU)
    assert store.faces.shape == (sum(numbers), 3, 32, 32)
    assert store.faces.dtype == torch.uint8
    assert store.shares[: numbers[0]].sum().item() == pytest.approx(0.5, abs=1e-5)
    assert store.shares[numbers[0] :].sum().item() == pytest.approx(0.5, abs=1e-5)


def test_faces_are_red_green_blue(tmp_path: Path) -> None:
    folder = first(tmp_path)
    Image.fromarray(np.full((32, 32, 3), (250, 120, 10), np.uint8)).save(folder / "0.png")
    (rows,) = read_sets([folder])
    assert read_set_faces(rows[:1], 32)[0, :, 5, 5].tolist() == [250, 120, 10]


def test_says_what_is_wrong_with_a_set(tmp_path: Path) -> None:
    folder = first(tmp_path)
    with pytest.raises(
        InputsError, match=r"no such file. A set is a folder of aligned faces and manifest.csv"
    ):
        read_sets([tmp_path / "none"])
    (rows,) = read_sets([folder])
    with pytest.raises(InputsError, match="32x32 pixels, accepted are 64x64 pixels"):
        read_set_faces(rows, 64)
    rows[0].file.write_bytes(b"no picture")
    with pytest.raises(InputsError, match="not readable"):
        read_set_faces(rows, 32)
    text = (folder / "manifest.csv").read_text()
    (folder / "manifest.csv").write_text(text.replace("basis", "reason", 1))
    with pytest.raises(InputsError, match=r"no column 'basis'. Needed are file, kind"):
        read_sets([folder])
    (folder / "manifest.csv").write_text(text.splitlines()[0] + "\n")
    with pytest.raises(InputsError, match="no rows"):
        read_sets([folder])
