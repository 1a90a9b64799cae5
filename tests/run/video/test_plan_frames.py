"""Plans of numbered pictures: their outputs, and flags that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from film_frames import write_frames

from gpen_fast.errors import InputsError
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.settings import VideoOptions


def targets(inputs: Path, out: str, **options: object) -> list[str]:
    made = plan_videos([str(inputs)], inputs.parent / out, VideoOptions(**options))  # type: ignore[arg-type]
    return [str(item.target.relative_to(inputs.parent)) for item in made.todo]


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        write_frames(tmp_path / "shots" / name, 2, 60)
    return tmp_path / "shots"


def test_a_tree_of_shots_keeps_its_folders(shots: Path) -> None:
    assert targets(shots, "out", frames=True) == ["out/one", "out/two"]
    assert targets(shots, "out", fps="24") == ["out/one.mp4", "out/two.mp4"]
    assert targets(shots, "out", fps="24", container="mkv") == ["out/one.mkv", "out/two.mkv"]
    (shots / "two/shot_0009.png").rename(shots / "two/shot_0011.png")
    made = plan_videos([str(shots)], shots.parent / "out", VideoOptions(frames=True))
    assert [item.target.name for item in made.todo] == ["one"]
    assert "shot_0009.png: is missing" in made.failed[0][1]


def test_one_shot_goes_to_the_name_that_is_given(shots: Path) -> None:
    assert targets(shots / "one", "o.mov", fps="24") == ["o.mov"]
    assert targets(shots / "one", "out", fps="24") == ["out/one.mp4"]
    assert targets(shots / "one", "out", frames=True) == ["out"]


@pytest.mark.parametrize(
    ("out", "options", "words"),
    [
        ("o.mp4", {}, "For numbered pictures add --fps 24"),
        ("o.mp4", {"frames": True}, "--frames writes numbered pictures. Name a folder"),
        ("out/s_%04d.png", {"fps": "24"}, "Add --frames to have them written"),
        ("out", {"frames": True, "codec": "hevc"}, "--codec is for videos, and --frames writes pictures"),
        ("out", {"frames": True, "start": "1"}, "--start and --end are times. Add --fps 24"),
        ("one", {"frames": True}, "the output folder is that of the inputs"),
    ],
)
def test_flags_that_do_not_fit_are_refused(
    shots: Path, out: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(InputsError) as refused:
        plan_videos([str(shots / "one")], shots / out, VideoOptions(**options))  # type: ignore[arg-type]
    assert words in str(refused.value)


def test_pictures_need_a_rate_to_become_a_video(shots: Path) -> None:
    with pytest.raises(
        InputsError, match=r"shot_%04d.png: numbered pictures have no rate of their own\. Add --fps 24"
    ):
        plan_videos([str(shots / "one/shot_%04d.png")], shots / "o.mp4", VideoOptions())


def test_foreign_pictures_are_not_replaced(shots: Path, tmp_path: Path) -> None:
    out = write_frames(tmp_path / "out", 1, 60)
    with pytest.raises(InputsError, match=r"exists.*and no unfinished run has left it"):
        plan_videos([str(shots / "one")], out, VideoOptions(frames=True))
    assert plan_videos([str(shots / "one")], out, VideoOptions(frames=True, overwrite=True)).todo
    write_frames(out, 2, 60)
    assert plan_videos([str(shots / "one")], out, VideoOptions(frames=True)).skipped
