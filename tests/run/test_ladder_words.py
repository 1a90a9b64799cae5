"""The notes of rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from gpen_fast.run.ladder_album import LadderAlbum, LadderPicture
from gpen_fast.run.ladder_steps import LadderWay
from gpen_fast.run.ladder_words import notes_of
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import Settings

WAY = LadderWay("retinaface")
PICTURE = LadderPicture(Path("a.jpg"), torch.zeros(3, 1, 1))
ALBUM = LadderAlbum([PICTURE] * 2, [PICTURE] * 3, Path())


def notes(runtime: Runtime, **changes: object) -> list[str]:
    return notes_of(replace(WAY, **changes), WAY, runtime, ALBUM)


def test_a_change_says_what_ran(runtime: Runtime) -> None:
    assert notes(runtime) == []
    assert notes(runtime, precision="half") == ["fp32"], "what the device made of it"
    assert notes(runtime, detector="lite") == ["detector lite"]
    assert notes(runtime, landmarks="cached") == []
    assert notes(runtime, landmarks="aligned") == [
        "from here on the 3 aligned crops of 2 pictures: likeness is that of the crops"
    ]
    assert notes(runtime, overlap="all") == ["3 faces repeated to 8 pictures or more"]
    assert notes(runtime, network="256") == ["custom-64 on the faces of whole pictures, cached landmarks"]


def test_the_baseline_says_how_it_differs_from_the_published_one(runtime: Runtime) -> None:
    told = notes_of(WAY, None, runtime, ALBUM)
    assert told == [
        "fp32, detector none, cv2.imwrite, one at a time",
        "the published baseline ran RetinaFace-ResNet50",
    ]
    detect = replace(runtime.settings.detect, detector="retinaface")
    as_published = replace(runtime, settings=replace(runtime.settings, detect=detect))
    assert len(notes_of(WAY, None, as_published, ALBUM)) == 1


def test_random_weights_tell_of_the_arithmetic_only() -> None:
    runtime = load_runtime(Settings.from_flat(weights="random:gpen-lite-256", detector="none"))
    assert notes_of(WAY, None, runtime, ALBUM)[-1] == (
        "random weights: likeness tells of the arithmetic, not of faces"
    )


def test_what_the_network_says_of_itself_is_told_too(runtime: Runtime) -> None:
    class Noted:
        notes = ("no CUDA graphs (out of memory): small batches take longer.",)

    told = notes(replace(runtime, generator=Noted()))
    assert told == ["no CUDA graphs (out of memory): small batches take longer"]
