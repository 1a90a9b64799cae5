"""Results that a journal names are no inputs of a run in place."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import write_photo

from gpen_fast.errors import InputsError
from gpen_fast.run.journal.rows import FileFacts, JournalRow, RecordedOutcome
from gpen_fast.run.plan import plan
from gpen_fast.settings import OutputOptions

IN_PLACE = OutputOptions("same", in_place=True)


def row_of(target: str, source: Path, outcome: RecordedOutcome) -> JournalRow:
    return JournalRow(target, str(source), FileFacts(1, 2), FileFacts(3, 4), "key", outcome)


def record(home: Path, **sources: Path) -> None:
    """Writes results and the journal of the run that made them. sources: by the name of a PNG file in `home`."""
    lines = [b"{torn"]
    for name, source in sources.items():
        result = write_photo(home / f"{name}.png")
        lines.append(row_of(result.name, source, "restored").line())
    (home / ".gpen-fast").mkdir(exist_ok=True)
    (home / ".gpen-fast/journal.jsonl").write_bytes(b"\n".join(lines))


def test_results_under_other_names_are_refused_wherever_they_stand(album: Path) -> None:
    record(album / "out", scan=album / "in/a.jpg", other=album / "in/b.PNG")
    for names in (["in", "out"], ["out", "in"], ["in/a.jpg", "out/scan.png"]):
        with pytest.raises(InputsError) as told:
            plan(names, None, IN_PLACE)
        text = str(told.value)
        assert "holds results of an earlier run" in text
        assert f"{album}/out/scan.png from {album}/in/a.jpg" in text
        assert f"Leave out {'out/scan.png' if 'out/scan.png' in names else 'out'}; or" in text
    assert len(plan(["out"], None, IN_PLACE).todo) == 2
    assert len(plan(["in"], None, IN_PLACE).todo) == 4


def test_a_part_of_an_output_folder_is_refused_too(album: Path) -> None:
    record(album / "out", scan=album / "in/a.jpg")
    write_photo(album / "out/1931/x.png")
    assert plan(["in", "out/1931"], None, IN_PLACE).todo
    row = row_of("1931/x.png", album / "in/1931/c.jpeg", "no_face")
    (album / "out/.gpen-fast/journal.jsonl").write_bytes(row.line())
    with pytest.raises(InputsError, match="out/1931: holds results"):
        plan(["in", "out/1931"], None, IN_PLACE)


def test_a_last_path_that_was_an_output_is_refused_for_any_source(album: Path) -> None:
    record(album / "out", scan=album / "gone/x.jpg")
    with pytest.raises(InputsError, match="out: holds results of an earlier run"):
        plan(["in", "out"], None, IN_PLACE)
    assert len(plan(["out", "in"], None, IN_PLACE).todo) == 5


def test_folders_restored_in_place_or_beside_are_inputs_as_before(album: Path) -> None:
    for name in ("one", "two"):
        source = album / name / f"{name}.png"
        record(album / name, **{name: source, f"{name}_new": source})
    assert len(plan(["one", "two"], None, IN_PLACE).todo) == 4


def test_deleted_results_and_failures_are_no_results(album: Path) -> None:
    record(album / "out", scan=album / "in/a.jpg")
    write_photo(album / "out/scan.png").rename(album / "out/new.png")
    assert len(plan(["in", "out"], None, IN_PLACE).todo) == 5
