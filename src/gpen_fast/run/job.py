"""One picture on its way through a run: where it comes from, and what each stage adds.

    PictureSource -> Loaded -> Detected -> Cropped -> Restored -> Pasted -> Finished
    from any of them -> Failed

Each stage takes the type that the stage before it returns, so that mypy proves the order of the stages.
Every value is frozen, and holds only what a later stage needs: the memory of a picture's pixels is freed with the last
value that holds them. `Finished` and `Failed` hold none but those that the caller gave as the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from torch import Tensor

from gpen_fast.detections.file_format import Found
from gpen_fast.stages.need.blend import FaceUse
from gpen_fast.types import Face, FaceBatch, Frame, PictureInput, RestoredFace

# What a writer returns for a restored picture.
Written = TypeVar("Written")

Outcome = Literal["restored", "no_face"]


@dataclass(frozen=True, eq=False)
class PictureSource:
    """A picture that is to be restored, before it is read."""

    index: int
    """Its position among the sources of its run, from 0. Results are put back into this order."""

    picture: PictureInput = field(repr=False)
    """What `stages.load` reads: a file's path, or the pixels themselves."""

    @property
    def path(self) -> Path | None:
        """The file's path; None for a picture that came as pixels."""
        return self.picture if isinstance(self.picture, Path) else None

    @property
    def is_file(self) -> bool:
        """Whether the picture comes from a file of its own."""
        return self.path is not None


def numbered(pictures: Iterable[PictureInput]) -> Iterator[PictureSource]:
    """Numbers the pictures in their order, one at a time: an endless iterable is accepted."""
    return (PictureSource(index, picture) for index, picture in enumerate(pictures))


@dataclass(frozen=True, eq=False)
class Loaded:
    """A picture that has been read."""

    source: PictureSource
    """Where it comes from."""

    frame: Frame
    """Its pixels, upright, on the run's device."""

    content_key: str = ""
    """Identifies its content in a file of landmarks; empty where no such file is read or written."""

    note: str = ""
    """What the user should know of it; empty where there is nothing."""

    timing: Mapping[str, float] = field(default_factory=dict)
    """Host milliseconds by stage so far. A batch's time is shared evenly among its faces."""

    faces_found: int | None = None
    """Faces found in it, before the options left some out; None until it is searched, and where it never is."""

    def timed(self, stage: str, host_ms: float) -> Loaded:
        """The same picture with the time of one more stage."""
        return replace(self, timing={**self.timing, stage: host_ms})

    def noted(self, note: str) -> Loaded:
        """The same picture with one more sentence in its note."""
        return replace(self, note=joined(self.note, note))


@dataclass(frozen=True, eq=False)
class Step:
    """What every stage after `load` passes on."""

    picture: Loaded
    """The picture itself, with its note and the timing up to this stage."""

    @property
    def source(self) -> PictureSource:
        """Where the picture comes from."""
        return self.picture.source

    @property
    def frame(self) -> Frame:
        """The picture's pixels as they were read."""
        return self.picture.frame

    @property
    def timing(self) -> Mapping[str, float]:
        """Host milliseconds by stage so far."""
        return self.picture.timing


@dataclass(frozen=True, eq=False)
class Detected(Step):
    """A picture whose faces are known."""

    found: Found
    """Every face in it, and how the detector searched."""

    faces: tuple[Face, ...]
    """The faces that are to be restored: the options may leave some of them out."""


@dataclass(frozen=True, eq=False)
class Cropped(Step):
    """A picture whose faces are cut out, ready for the network."""

    faces: tuple[Face, ...]
    """The faces that are to be restored."""

    crops: FaceBatch
    """One crop for each face."""


@dataclass(frozen=True, eq=False)
class Restored(Step):
    """A picture whose faces have been through the network."""

    faces: tuple[Face, ...]
    """The faces, in the picture's coordinates."""

    crops: FaceBatch
    """Each face before the network."""

    restored: tuple[Tensor, ...]
    """Each face after the network: (3,S,S), RGB, in the picture's depth."""

    need: Tensor | None = None
    """(B,1+BANDS) how much of each restoration its face needs; None: it is measured when it is pasted."""

    fades: tuple[float, ...] | None = None
    """How much of each face is pasted, 0..1; None: all of each."""

    own: Tensor | None = None
    """(B,3,S,S) what of `crops`, averages over the frames of a video, the picture has: the rest is added to it."""


@dataclass(frozen=True, eq=False)
class Pasted(Step):
    """A picture with its restored faces in it, ready to be written."""

    faces: tuple[Face, ...]
    """The faces, in the coordinates of `frame`."""

    crops: FaceBatch
    """Each face before the network."""

    restored: tuple[Tensor, ...]
    """Each face after the network: (3,S,S), RGB, in the picture's depth."""

    result: Frame
    """The restored picture; `frame` itself where it has no faces."""

    use: FaceUse | None = None
    """How much of the restorations is in it; None: all of them, as the network returned them."""

    def restored_faces(self) -> tuple[RestoredFace, ...]:
        """The faces as the caller of `Restorer` gets them, on the run's device."""
        return tuple(
            RestoredFace(face.box, face.score, face.landmarks, matrix, crop, restored)
            for face, matrix, crop, restored in zip(
                self.faces, self.crops.matrices, self.crops.pixels, self.restored, strict=True
            )
        )


@dataclass(frozen=True, eq=False)
class Finished:
    """A picture that `enhance` has dealt with."""

    source: PictureSource
    """Where it came from."""

    outcome: Outcome
    """restored: its result is written. no_face: it was passed through."""

    faces: int
    """Faces restored in it."""

    note: str = ""
    """What the user should know of it; empty where there is nothing."""

    timing: Mapping[str, float] = field(default_factory=dict)
    """Host milliseconds by stage, `save` among them."""

    faces_found: int | None = None
    """Faces found in it, before the options left some out; None where it was not searched."""

    faces_left_out: int = 0
    """Faces found in it that the options left out."""
    kept: int = 0
    """Those of the faces that were left as they are, because the restoration is no better."""


@dataclass(frozen=True, eq=False)
class Failed:
    """A picture that could not be restored. Its error has no traceback: see `failed`."""

    source: PictureSource
    """Where it came from."""

    error: Exception
    """Why it failed."""

    timing: Mapping[str, float] = field(default_factory=dict)
    """Host milliseconds of the stages that it passed."""


def failed(given: PictureSource | Loaded | Step, error: Exception) -> Failed:
    """The end of a picture's way.

    The tracebacks of the error and of its causes are cut: they would hold the picture, and on a GPU its device memory,
    for as long as the error is kept.
    """
    chain: list[BaseException | None] = [error]
    while chain:
        cause = chain.pop()
        if cause is not None and cause.__traceback__ is not None:
            cause.__traceback__ = None
            chain += [cause.__cause__, cause.__context__]
    if isinstance(given, PictureSource):
        return Failed(given, error)
    return Failed(given.source, error, given.timing)


def joined(*notes: str) -> str:
    """Several notes as one; empty ones are left out."""
    return " ".join(filter(None, notes))
