"""What the notes of `profile --ladder` say about a row that was measured."""

from __future__ import annotations

from collections.abc import Iterator

from gpen_fast.run.ladder_album import LadderAlbum
from gpen_fast.run.ladder_steps import LadderWay
from gpen_fast.run.runtime import Runtime

# Upstream GPEN's detector, which the published baseline ran.
_PUBLISHED_DETECTOR = "retinaface"
# Of a row of random weights whose crops or network are not the baseline's.
UNLIKE = (
    "random weights make another picture of another crop or in another network: likeness would tell nothing"
)


def notes_of(way: LadderWay, before: LadderWay | None, runtime: Runtime, album: LadderAlbum) -> list[str]:
    """What the reader of a row should know, each as a sentence without its full stop.

    Args:
        way: How the row ran.
        before: How the row above ran; None for the baseline.
        runtime: What ran it.
        album: The pictures.
    """
    told = _of_baseline(runtime) if before is None else _of_changes(way, before, runtime, album)
    return [*told, *(note.removesuffix(".") for note in runtime.generator.notes)]


def _of_baseline(runtime: Runtime) -> Iterator[str]:
    detector = runtime.detector.name
    yield f"fp32, detector {detector}, cv2.imwrite, one at a time"
    if runtime.settings.detect.detector != _PUBLISHED_DETECTOR:
        yield "the published baseline ran RetinaFace-ResNet50"
    if runtime.weights.random:
        yield "random weights: likeness tells of the arithmetic, not of faces"


def _of_changes(way: LadderWay, before: LadderWay, runtime: Runtime, album: LadderAlbum) -> Iterator[str]:
    if way.precision != before.precision:
        yield runtime.precision.name
    if way.detector != before.detector:
        yield f"detector {way.detector}"
    if way.landmarks != before.landmarks and way.landmarks == "aligned":
        crops, pictures = _count(len(album.crops), "aligned crop"), _count(len(album.whole), "picture")
        yield f"from here on the {crops} of {pictures}: likeness is that of the crops"
    if way.overlap != before.overlap and way.overlap == "all":
        yield f"{_count(len(album.crops), 'face')} repeated to {way.least_pictures} pictures or more"
    if way.network != before.network:
        yield f"{runtime.model} on the faces of whole pictures, cached landmarks"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
