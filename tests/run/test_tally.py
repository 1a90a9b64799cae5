"""What became of the pictures of a run."""

from __future__ import annotations

from pathlib import Path

from gpen_fast.run.job import Failed, Finished, PictureSource
from gpen_fast.run.tally import Tally


def test_a_tally_tells_what_became_of_each_picture() -> None:
    tally = Tally()
    path, source = Path("a.png"), PictureSource(0, Path("a.png"))
    tally.add(path, Finished(source, "restored", 3, "a note."))
    tally.add(path, Finished(source, "no_face", 0))
    tally.add(path, Failed(source, FileNotFoundError(2, "No such file or directory", "a.png")))
    assert (tally.images, tally.faces) == (3, 3)
    assert tally.notes == [(path, "a note.")]
    assert tally.no_face == [path]
    assert tally.failed == [(path, "no such file or directory")]
    assert tally.outcomes == {"restored": 1, "no_face": 1, "failed": 1}
