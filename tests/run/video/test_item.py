"""What a plan says of a film."""

from __future__ import annotations

from pathlib import Path

from film_frames import write_frames

from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.settings import VideoOptions


def test_an_item_says_whether_pictures_come_in_or_go_out(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "in", 2, 60)
    (tmp_path / "v.mp4").touch()

    def planned(source: Path, out: str, **options: object) -> VideoItem:
        return plan_videos([str(source)], tmp_path / out, VideoOptions(**options)).todo[0]  # type: ignore[arg-type]

    both = planned(folder, "out", frames=True)
    assert (both.sequence and both.sequence.files, both.container) == (("shot_0008.png", "shot_0009.png"), "")
    assert both.pictures and both.pictures.name(1) == "shot_0009.png"
    into = planned(folder, "o.mkv", fps="24")
    assert (into.pictures, into.container, into.source) == (None, "matroska", folder / "shot_%04d.png")
    out_of = planned(tmp_path / "v.mp4", "out", frames=True)
    assert out_of.sequence is None
    assert out_of.pictures and out_of.pictures.name(0) == "v_000001.png"
