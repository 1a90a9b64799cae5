"""Pictures whose results would have one name: told together, and each cure that is named works."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from helpers import write_photo
from runs import pairs

from gpen_fast.errors import InputsError
from gpen_fast.run.plan import plan
from gpen_fast.settings import OnClash, OutputOptions

OUT = Path("out")


def numbered(how: OnClash = "number", **options: object) -> OutputOptions:
    return OutputOptions(on_clash=how, **options)  # type: ignore[arg-type]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pairs of one stem in d1, and one file name in two folders."""
    monkeypatch.chdir(tmp_path)
    for name in ("d1/a.jpg", "d1/a.webp", "d1/b.jpg", "d2/a.jpg", "d2/c.png"):
        write_photo(Path(name))
    return tmp_path


def test_all_clashes_are_told_at_once(folders: Path) -> None:
    write_photo(Path("d2/b.jpg"))
    with pytest.raises(InputsError) as refusal:
        plan(["d1", "d2"], OUT, OutputOptions())
    assert str(refusal.value) == (
        "several pictures would become 2 results: out/a.png from d1/a.jpg and d1/a.webp and d2/a.jpg; "
        "out/b.png from d1/b.jpg and d2/b.jpg. Try --on-clash number (a.png, a_2.png, in the order of the inputs) or "
        "--on-clash skip (only the first)."
    )


def test_same_is_named_only_where_it_cures(folders: Path) -> None:
    with pytest.raises(InputsError, match=r"; or --format same, which keeps them apart\.$"):
        plan(["d1"], OUT, OutputOptions())
    assert len(plan(["d1"], OUT, OutputOptions("same")).todo) == 3
    with pytest.raises(InputsError) as refusal:  # d1/a.jpg and d2/a.jpg clash under same too
        plan(["d1", "d2"], OUT, OutputOptions())
    assert "same" not in str(refusal.value)


def test_a_long_list_is_bounded(folders: Path) -> None:
    for i, folder in itertools.product(range(14), ("d1", "d2")):
        write_photo(Path(f"{folder}/x{i:02d}.jpg"))
    with pytest.raises(InputsError, match=r"become 15 results: .*out/x08\.png.*; and 5 more\. Try"):
        plan(["d1", "d2"], OUT, OutputOptions())


def test_number_gives_every_picture_a_file(folders: Path) -> None:
    made = plan(["d1", "d2"], OUT, numbered())
    assert pairs(made) == {
        "d1/a.jpg": "out/a.png",
        "d1/a.webp": "out/a_2.png",
        "d1/b.jpg": "out/b.png",
        "d2/a.jpg": "out/a_3.png",
        "d2/c.png": "out/c.png",
    }
    for target in pairs(made).values():
        write_photo(Path(target))
    again = plan(["d1", "d2"], OUT, numbered())
    assert (len(again.todo), len(again.skipped)) == (0, 5), "the same numbers again"


def test_numbers_take_no_others_name(folders: Path) -> None:
    write_photo(Path("d2/a_2.jpg"))
    made = pairs(plan(["d1", "d2"], OUT, numbered()))
    assert made["d2/a_2.jpg"] == "out/a_2.png"
    assert (made["d1/a.webp"], made["d2/a.jpg"]) == ("out/a_3.png", "out/a_4.png")
    assert len(set(made.values())) == len(made) == 6


def test_skip_keeps_the_first_and_names_the_others(folders: Path) -> None:
    made = plan(["d1", "d2"], OUT, numbered("skip"))
    assert list(pairs(made)) == ["d1/a.jpg", "d1/b.jpg", "d2/c.png"]
    assert made.ignored == [Path("d1/a.webp"), Path("d2/a.jpg")]
    assert made.notes == [
        (path, "left out by --on-clash skip: d1/a.jpg becomes out/a.png.") for path in made.ignored
    ]


def test_numbered_results_beside_their_inputs_are_no_inputs(folders: Path) -> None:
    options = numbered(suffix="_new")
    first = plan(["d1"], Path("d1"), options)
    for target in pairs(first).values():
        write_photo(Path(target))
    assert set(pairs(first).values()) == {"d1/a_new.png", "d1/a_new_2.png", "d1/b_new.png"}
    again = plan(["d1"], Path("d1"), options)
    assert (len(again.todo), len(again.skipped)) == (0, 3)


def test_numbered_results_are_no_inputs_in_place(folders: Path) -> None:
    for target in pairs(plan(["d1", "d2"], OUT, numbered())).values():
        write_photo(Path(target))
    with pytest.raises(InputsError, match="looks like the results of the other inputs"):
        plan(["d1", "d2", "out"], None, OutputOptions("same", in_place=True))


def test_inputs_are_not_overwritten_whatever_the_option(folders: Path) -> None:
    write_photo(Path("d2/d.png"))
    for how in ("error", "number", "skip"):
        with pytest.raises(
            InputsError, match=r"^d2/c\.png; d2/d\.png: would overwrite an input\. .*--suffix"
        ):
            plan(["d2/c.png", "d2/d.png"], Path("d2"), numbered(how))
    assert len(plan(["d2/c.png", "d2/d.png"], Path("d2"), OutputOptions(suffix="_restored")).todo) == 2


def test_folders_in_the_way_are_told_at_once(folders: Path) -> None:
    for name in ("out/b.png", "out/c.png"):
        Path(name).mkdir(parents=True)
    with pytest.raises(
        InputsError,
        match=r"out/b\.png \(for d1/b\.jpg\); out/c\.png \(for d2/c\.png\): are folders where results",
    ):
        plan(["d1", "d2"], OUT, numbered())


COMPOSED, APART = "caf\u00e9", "cafe\u0301"  # one name, in NFC and in NFD


@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        ("A.jpg", "a.jpg", "a_2.png"),
        (f"{COMPOSED}.jpg", f"{APART}.jpg", f"{APART}_2.png"),
        ("\u00c9.jpg", "e\u0301.jpg", "e\u0301_2.png"),
        ("Sub/a.jpg", "sub/a.jpg", "a_2.png"),
    ],
)
def test_names_that_some_file_system_takes_for_one_clash(
    folders: Path, first: str, second: str, number: str
) -> None:
    names = [f"x1/{first}", f"x2/{second}"]
    for name in names:
        write_photo(Path(name))
    with pytest.raises(InputsError) as refusal:
        plan(["x1", "x2"], OUT, OutputOptions())
    results = [f"out/{Path(name).with_suffix('.png')}" for name in (first, second)]
    assert str(refusal.value) == (
        f"several pictures would become one result: {results[0]} from {names[0]} and {results[1]} from {names[1]}. "
        "On macOS and Windows, names that differ only in case or accents' form are one file. "
        f"Try --on-clash number ({Path(first).stem}.png, {Path(first).stem}_2.png, in the order of the inputs) or "
        "--on-clash skip (only the first)."
    )
    numbered_pairs = pairs(plan(["x1", "x2"], OUT, numbered()))
    assert numbered_pairs == {names[0]: results[0], names[1]: str(Path(results[1]).with_name(number))}
    skipped = plan(["x1", "x2"], OUT, numbered("skip"))
    assert list(pairs(skipped)) == names[:1]
    assert skipped.notes == [
        (Path(names[1]), f"left out by --on-clash skip: {names[0]} becomes {results[0]}.")
    ]


def test_same_is_no_cure_for_case(folders: Path) -> None:
    write_photo(Path("x1/A.webp"))
    write_photo(Path("x2/a.webp"))
    with pytest.raises(InputsError) as refusal:
        plan(["x1", "x2"], OUT, OutputOptions())
    assert "--format same" not in str(refusal.value)


def test_a_number_is_no_others_name_in_another_case(folders: Path) -> None:
    for name in ("x1/A.jpg", "x2/a.jpg", "x2/A_2.jpg"):
        write_photo(Path(name))
    made = pairs(plan(["x1", "x2"], OUT, numbered()))
    assert (made["x2/a.jpg"], made["x2/A_2.jpg"]) == ("out/a_3.png", "out/A_2.png")


def test_pictures_that_differ_in_case_are_replaced_in_place(folders: Path) -> None:
    names = ["x/A.jpg", "x/a.jpg", f"x/{COMPOSED}.jpg", f"x/{APART}.jpg"]
    for name in names:
        write_photo(Path(name))
    if len(list(Path("x").iterdir())) < 4:
        pytest.skip("this file system takes them for one")
    made = plan(["x"], None, OutputOptions("same", in_place=True))
    assert pairs(made) == {name: name for name in names}
