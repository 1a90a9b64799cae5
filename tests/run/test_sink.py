"""What becomes of a restored picture on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import photo, write_photo
from PIL import Image

from gpen_fast.errors import PictureError
from gpen_fast.image.exif_mark import is_marked
from gpen_fast.pictures import load_image
from gpen_fast.run.job import Loaded, Pasted, PictureSource
from gpen_fast.run.plan import Item
from gpen_fast.run.sink import Sink
from gpen_fast.settings import OutputOptions
from gpen_fast.stages.need.blend import FaceUse
from gpen_fast.types import Face, FaceBatch, Frame

IN_PLACE = OutputOptions("same", in_place=True)


def pasted(path: Path, faces: int = 1, note: str = "") -> Pasted:
    """A picture whose restoration is its negative."""
    frame = load_image(path)
    result = Frame(255 - frame.pixels, channels=frame.channels, kind=frame.kind)
    crops = FaceBatch(torch.zeros(faces, 3, 8, 8, dtype=torch.uint8), np.zeros((faces, 2, 3)))
    return Pasted(
        Loaded(PictureSource(0, path), frame, note=note),
        tuple(Face((0.0, 0.0, 8.0, 8.0), 0.9) for _ in range(faces)),
        crops,
        tuple(torch.full((3, 8, 8), 255, dtype=torch.uint8) for _ in range(faces)),
        result if faces else frame,
    )


def test_a_restored_picture_is_written_in_its_targets_format(tmp_path: Path) -> None:
    path, target = write_photo(tmp_path / "a.png"), tmp_path / "out" / "a.png"
    done = Sink([Item(path, target)], OutputOptions())(pasted(path, faces=2, note="a note."))
    assert (done.outcome, done.faces, done.note, done.source.path) == ("restored", 2, "a note.", path)
    assert np.array_equal(np.asarray(Image.open(target)), 255 - photo())


def test_faces_left_as_they_are_are_counted_and_said(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.png")
    use = FaceUse(torch.tensor([0.0, 0.9, 0.0]), torch.tensor([True, True, False]))
    picture = replace(pasted(path, faces=3, note="a note."), use=use)
    done = Sink([Item(path, tmp_path / "b.png")], OutputOptions())(picture)
    assert (done.faces, done.kept) == (3, 2)
    assert done.note == (
        "a note. 1 of 3 faces left as found: finer and cleaner than the network's result. "
        "--keep-detail 0 uses that result. "
        "1 of 3 faces left as found: the network's result does not resemble the face. Try another --model."
    )


def test_in_place_a_picture_whose_faces_are_all_left_is_not_written_again(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.png")
    before = path.read_bytes()
    use = FaceUse(torch.zeros(2), torch.tensor([True, True]))
    done = Sink([Item(path, path)], IN_PLACE)(replace(pasted(path, faces=2), use=use))
    assert (done.outcome, done.kept) == ("restored", 2)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.png"], "no original is kept of what stays"


def test_a_pictures_index_finds_its_target(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.png")
    picture = pasted(path)
    moved = Pasted(
        Loaded(PictureSource(1, path), picture.frame),
        picture.faces,
        picture.crops,
        picture.restored,
        picture.result,
    )
    items = [Item(path, tmp_path / f"{i}.png") for i in range(2)]
    Sink(items, OutputOptions())(moved)
    assert [item.target.exists() for item in items] == [False, True]


@pytest.mark.parametrize(("suffix", "same_bytes"), [("jpg", True), ("png", False)])
def test_a_picture_without_faces_is_copied_where_its_format_stays(
    tmp_path: Path, suffix: str, same_bytes: bool
) -> None:
    path, target = write_photo(tmp_path / "a.jpg"), tmp_path / f"out.{suffix}"
    done = Sink([Item(path, target)], OutputOptions())(pasted(path, faces=0))
    assert (done.outcome, done.faces) == ("no_face", 0)
    assert (target.read_bytes() == path.read_bytes()) is same_bytes
    assert np.array_equal(np.asarray(Image.open(target)), np.asarray(Image.open(path)))


def test_in_place_a_restored_picture_is_marked_and_another_left_alone(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.png")
    before = path.stat().st_mtime_ns
    assert Sink([Item(path, path)], IN_PLACE)(pasted(path, faces=0)).outcome == "no_face"
    assert path.stat().st_mtime_ns == before
    assert Sink([Item(path, path)], IN_PLACE)(pasted(path)).outcome == "restored"
    assert is_marked(path)
    assert np.array_equal(np.asarray(Image.open(path)), 255 - photo())


def test_in_place_refuses_another_format_than_the_name_says(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    before = path.read_bytes()
    with pytest.raises(PictureError, match="is PNG by its content: rename it"):
        Sink([Item(path, path)], IN_PLACE)(pasted(path))
    assert path.read_bytes() == before


def test_in_place_refuses_what_the_result_would_destroy(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    image = Image.fromarray(photo())
    image.save(path, "MPO", save_all=True, append_images=[image])
    before = path.read_bytes()
    sink = Sink([Item(path, path)], IN_PLACE)
    with pytest.raises(
        PictureError, match=r"holds further pictures, which its result would destroy\. Name an"
    ):
        sink(pasted(path))
    assert path.read_bytes() == before
    assert sink(pasted(path, faces=0)).outcome == "no_face", "nothing is replaced"


@pytest.mark.parametrize(("numbered", "mode"), [(False, "L"), (True, "RGB")])
def test_grey_as_grey_spares_the_frames_of_a_film(tmp_path: Path, numbered: bool, mode: str) -> None:
    path, target = tmp_path / "f_1.png", tmp_path / "out.png"
    Image.fromarray(np.dstack([photo(channels=1)] * 3)).save(path)
    Sink([Item(path, target)], OutputOptions(grey_as_grey=True), numbered={str(path)} if numbered else ())(
        pasted(path)
    )
    with Image.open(target) as image:
        assert image.mode == mode


def test_faces_replace_those_of_an_earlier_run(tmp_path: Path) -> None:
    path, target = write_photo(tmp_path / "a.png"), tmp_path / "out.png"
    sink = Sink([Item(path, target)], OutputOptions(save_faces=True))
    sink(pasted(path, faces=3))
    folder = tmp_path / "out.png.faces"
    (folder / "mine.png").write_text("not of a run")
    sink(pasted(path, faces=1))
    assert sorted(file.name for file in folder.iterdir()) == ["000-crop.png", "000-restored.png", "mine.png"]
    assert np.asarray(Image.open(folder / "000-restored.png")).min() == 255


def test_no_file_appears_where_the_format_cannot_hold_the_picture(tmp_path: Path) -> None:
    path, target = tmp_path / "a.png", tmp_path / "out.jpg"
    Image.fromarray(photo(channels=4)).save(path)
    picture = pasted(path)
    transparent = Pasted(picture.picture, picture.faces, picture.crops, picture.restored, load_image(path))
    with pytest.raises(PictureError, match="transparent in places"):
        Sink([Item(path, target)], OutputOptions("jpg"))(transparent)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.png"]
