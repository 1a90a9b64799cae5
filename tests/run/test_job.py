"""What each stage hands on."""

from __future__ import annotations

from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest
import torch

from gpen_fast.run.job import Failed, Loaded, Pasted, PictureSource, failed, joined, numbered
from gpen_fast.types import Face, FaceBatch, Frame

FRAME = Frame(torch.zeros(3, 4, 4, dtype=torch.uint8))


def test_sources_are_numbered_as_they_are_taken() -> None:
    endless = numbered(Path(f"{i}.png") for i in count())
    taken = list(islice(endless, 3))
    assert [(source.index, source.path) for source in taken] == [(i, Path(f"{i}.png")) for i in range(3)]


def test_only_a_path_is_a_file() -> None:
    assert PictureSource(0, Path("a.png")).is_file
    for pixels in (np.zeros((4, 4, 3), dtype=np.uint8), torch.zeros(3, 4, 4, dtype=torch.uint8)):
        source = PictureSource(0, pixels)
        assert not source.is_file
        assert source.path is None


def test_times_and_notes_are_added_to_a_picture_of_its_own() -> None:
    loaded = Loaded(PictureSource(0, Path("a.png")), FRAME, note="one.", timing={"load": 1.0})
    later = loaded.timed("detect", 2.0).noted("two.").noted("")
    assert (later.timing, later.note) == ({"load": 1.0, "detect": 2.0}, "one. two.")
    assert (loaded.timing, loaded.note) == ({"load": 1.0}, "one.")
    assert later.frame is FRAME


def test_notes_that_say_nothing_leave_no_space() -> None:
    assert joined("", "a.", "", "b.") == "a. b."
    assert joined("", "") == ""


def test_each_restored_face_has_its_own_crop_and_matrix() -> None:
    faces = tuple(Face((i, 0, i + 2, 2), 0.5) for i in range(2))
    crops = torch.arange(2, dtype=torch.uint8).reshape(2, 1, 1, 1).expand(2, 3, 8, 8)
    matrices = np.arange(12, dtype=np.float64).reshape(2, 2, 3)
    restored = tuple(torch.full((3, 8, 8), 10 + i, dtype=torch.uint8) for i in range(2))
    loaded = Loaded(PictureSource(0, Path("a.png")), FRAME)
    for i, face in enumerate(
        Pasted(loaded, faces, FaceBatch(crops, matrices), restored, FRAME).restored_faces()
    ):
        assert (face.box, int(face.crop.max()), int(face.restored.max())) == (faces[i].box, i, 10 + i)
        assert np.array_equal(face.matrix, matrices[i])


def test_a_failure_keeps_the_times_and_loses_every_traceback() -> None:
    loaded = Loaded(PictureSource(7, Path("a.png")), FRAME, timing={"load": 1.0})
    try:
        try:
            raise OSError("inner")
        except OSError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        done = failed(loaded, error)
    assert (done.source.index, done.timing) == (7, {"load": 1.0})
    assert done.error.__traceback__ is None
    assert isinstance(done.error.__cause__, OSError)
    assert done.error.__cause__.__traceback__ is None


def test_failure_that_is_its_own_cause() -> None:
    error = ValueError("odd")
    try:
        raise error from error
    except ValueError:
        done = failed(PictureSource(0, Path("a.png")), error)
    assert isinstance(done, Failed)
    assert done.error is error
    assert error.__traceback__ is None


def test_values_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Loaded(PictureSource(0, Path("a.png")), FRAME).note = "x"
