"""Which results can be written, before the work."""

from __future__ import annotations

from pathlib import Path

from helpers import write_photo

from gpen_fast.run.walk import Told
from gpen_fast.run.writable import writable
from gpen_fast.settings import OutputOptions

IN_PLACE = OutputOptions("same", in_place=True)


def kept(names: list[Path], output: OutputOptions) -> tuple[list[str], Told]:
    failed: Told = []
    pairs = [(str(name), str(name)) for name in names]
    return [Path(target).name for _, target in writable(pairs, output, failed)], failed


def test_a_name_is_measured_in_bytes() -> None:
    fits, too_long = Path("out") / f"{'ö' * 125}.png", Path("out") / f"{'ö' * 126}.png"
    names, failed = kept([fits, too_long], OutputOptions())
    assert names == [fits.name]
    assert failed == [(too_long, "its result's name would be longer than 255 bytes. Rename the picture.")]


def test_in_place_each_picture_and_its_folder_are_looked_at(tmp_path: Path) -> None:
    good, locked, foreign = (write_photo(tmp_path / name) for name in ("a.jpg", "b.jpg", "c.bmp"))
    locked.chmod(0o444)
    kept_one = write_photo(tmp_path / ".gpen-fast/originals/a.jpg")
    names, failed = kept([good, locked, foreign, kept_one], IN_PLACE)
    assert names == ["a.jpg"]
    assert [(path, why.split(".")[0]) for path, why in failed[:1]] == [(locked, "is read-only")]
    assert failed[1][1].startswith(".bmp can be read but not written")
    assert failed[2][1].startswith("is the kept original of another picture")
    assert kept([good, locked, foreign, kept_one], OutputOptions())[1] == []


def test_in_place_a_folder_that_cannot_keep_originals_is_named_for_each_picture(tmp_path: Path) -> None:
    pictures = [write_photo(tmp_path / name) for name in ("a.jpg", "b.jpg")]
    (tmp_path / ".gpen-fast").write_text("a file")
    names, failed = kept(pictures, IN_PLACE)
    assert not names and [path for path, _ in failed] == pictures
    assert "its original cannot be kept" in failed[1][1]
    assert kept(pictures, OutputOptions("same", in_place=True, no_backup=True))[0] == ["a.jpg", "b.jpg"]
