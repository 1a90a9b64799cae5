"""Which videos become which files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.run.video.plan import VideoPlan, plan_videos
from gpen_fast.settings import VideoOptions


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.mp4", "in/b.MKV", "in/1931/c.avi", "in/notes.txt", "in/strange"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def planned(*inputs: str, out: str, **options: object) -> VideoPlan:
    return plan_videos(inputs, Path(out), VideoOptions(**options))  # type: ignore[arg-type]


def pairs(plan: VideoPlan) -> list[tuple[str, str, str]]:
    return [(str(item.source), str(item.target), item.container) for item in plan.todo]


def test_one_file_becomes_the_file_that_is_named(films: Path) -> None:
    assert pairs(planned("in/a.mp4", out="x/y.mkv")) == [("in/a.mp4", "x/y.mkv", "matroska")]
    assert pairs(planned("in/strange", out="y.mov")) == [("in/strange", "y.mov", "mov")]


def test_a_folder_is_walked_and_its_tree_kept(films: Path) -> None:
    plan = planned("in", out="out")
    assert pairs(plan) == [
        ("in/a.mp4", "out/a.mp4", "mp4"),
        ("in/b.MKV", "out/b.MKV", "matroska"),
        ("in/1931/c.avi", "out/1931/c.avi", "avi"),
    ]
    assert sorted(path.name for path in plan.ignored) == ["notes.txt", "strange"]
    assert pairs(planned("in/*.mp4", "in/b.MKV", out="out", container="mkv")) == [
        ("in/a.mp4", "out/a.mkv", "matroska"),
        ("in/b.MKV", "out/b.mkv", "matroska"),
    ]


def test_what_is_done_is_skipped(films: Path) -> None:
    Path("out").mkdir()
    Path("out/a.mp4").write_bytes(b"done")
    assert [str(item.source) for item in planned("in", out="out").skipped] == ["in/a.mp4"]
    assert len(planned("in", out="out", overwrite=True).todo) == 3


@pytest.mark.parametrize(
    ("inputs", "out", "words"),
    [
        (("in/none.mp4",), "o.mp4", "in/none.mp4: no such file or folder."),
        (("in/a.mp4",), "in/a.mp4", "its result would replace in/a.mp4"),
        (("in/a.mp4",), "o.film", "does not say which kind of video it is to be. End it in .mp4"),
        (("in/1931", "in/1931/c.avi"), "out", "would both become out/c.avi"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    films: Path, inputs: tuple[str, ...], out: str, words: str
) -> None:
    with pytest.raises(InputsError, match=words):
        planned(*inputs, out=out)
