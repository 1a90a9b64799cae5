"""A plan and a run over the same journal: what is done, made again, refused or left."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers import write_photo
from journals import keys_of

from gpen_fast.errors import InputsError
from gpen_fast.files import write_file
from gpen_fast.run.journal.book import JournalBook
from gpen_fast.run.plan import Plan, plan
from gpen_fast.settings import OutputOptions, Settings


def book(
    weights: Path, output: OutputOptions | None = None, dry_run: bool = False, **names: object
) -> JournalBook:
    output = output or OutputOptions()
    settings = Settings.from_flat(**{"weights": str(weights), "detector": "none", **names})
    return JournalBook(keys_of(settings, output), output, dry_run=dry_run)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in "abcd":
        write_photo(tmp_path / "in" / f"{name}.png", seed=ord(name))
    return Path("out")


def ran(journal: JournalBook, output: OutputOptions | None = None, inputs: str = "in") -> Plan:
    """A run whose results are the pictures themselves and a byte; d.png fails."""
    with journal:
        made = plan([inputs], Path("out"), output or OutputOptions(), journal)
        journal.begin((item.target for item in made.todo), made.notes)
        for item in made.todo:
            source = journal.reading(item.source)
            if source.stem == "d":
                journal.failed(source, item.target, "damaged")
            else:
                before = journal.before(source, item.target, "restored", "", "")
                write_file(item.target, source.read_bytes() + b"x", before=before)
    return made


def names(made: Plan) -> str:
    return "".join(item.source.stem for item in made.todo)


def notes(made: Plan) -> str:
    return " ".join(note for _, note in made.notes)


def test_a_second_run_makes_what_failed_and_nothing_else(out: Path, weights: Path) -> None:
    assert names(ran(book(weights))) == "abcd"
    made = ran(book(weights))
    assert (names(made), len(made.skipped)) == ("d", 3)
    assert "1 failed in an earlier run: tried again." in notes(made)


def test_other_settings_make_all_again_and_say_so(out: Path, weights: Path) -> None:
    ran(book(weights))
    made = ran(book(weights, strength=0.5))
    assert names(made) == "abcd"
    assert "3 made with other settings: made again." in notes(made)


def test_an_edited_result_is_left_unless_overwrite_is_given(out: Path, weights: Path) -> None:
    ran(book(weights))
    write_photo(out / "b.png", seed=99)
    made = ran(book(weights, strength=0.5))
    assert names(made) == "acd"
    assert "1 changed since they were written: left as they are (--overwrite replaces them)." in notes(made)
    overwrite = OutputOptions(overwrite=True)
    assert names(ran(book(weights, overwrite), overwrite)) == "abcd"


def test_a_folder_from_before_the_journal_is_adopted_once(out: Path, weights: Path) -> None:
    for name in "abcd":
        write_photo(out / f"{name}.png")
    (out / "c.png").write_bytes(b"")
    made = ran(book(weights))
    assert names(made) == "c" and "3 made without a record of their settings: taken as done" in notes(made)
    made = ran(book(weights, strength=0.5))
    assert names(made) == "c" and "without a record" not in notes(made)


def test_pictures_of_another_folder_do_not_replace_results(out: Path, weights: Path) -> None:
    ran(book(weights))
    shutil.copytree("in", "in2")
    write_photo(Path("in2/a.png"), seed=77)
    made = ran(book(weights), inputs="in2")
    assert names(made) == "d"
    (told,) = made.failed
    assert told[0] == Path("in2/a.png")
    assert told[1].startswith("its result would replace out/a.png, the result of ")
    assert "in/a.png. Name another output, or --overwrite." in told[1]


def test_a_run_into_a_folder_that_another_run_writes_to_is_refused(out: Path, weights: Path) -> None:
    out.mkdir()
    with book(weights) as first:
        plan(["in"], out, OutputOptions(), first)
        with pytest.raises(InputsError, match="another run of gpen-fast writes into this folder"):
            plan(["in"], out, OutputOptions(), book(weights))
        # One picture needs no lock.
        assert names(plan(["in/a.png"], out, OutputOptions(), book(weights))) == "a"
        assert names(plan(["in"], out, OutputOptions(), book(weights, dry_run=True))) == "abcd"
    assert names(ran(book(weights))) == "abcd"


def test_a_dry_run_writes_nothing(out: Path, weights: Path) -> None:
    write_photo(out / "a.png")
    with book(weights, dry_run=True) as journal:
        assert names(plan(["in"], out, OutputOptions(), journal)) == "bcd"
    assert [path.name for path in out.iterdir()] == ["a.png"]


def test_a_folder_in_which_nothing_can_be_recorded_is_told(out: Path, weights: Path) -> None:
    out.mkdir()
    (out / ".gpen-fast").write_bytes(b"a file")
    made = ran(book(weights))
    assert names(made) == "abcd" and "no journal can be kept here" in notes(made)
    assert (out / "a.png").exists()


def test_after_a_new_start_overwrite_leaves_what_was_made_since(out: Path, weights: Path) -> None:
    ran(book(weights))
    output = OutputOptions(overwrite=True)
    keys = keys_of(Settings.from_flat(weights=str(weights), detector="none"), output)
    assert names(ran(JournalBook(keys, output, redone_since_ns=1), output)) == "d"
    assert names(ran(JournalBook(keys, output, redone_since_ns=2**63), output)) == "abcd"
