"""The faces of a frame, averaged with those of the frames before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from gpen_fast.run.job import Restored
from gpen_fast.settings import PasteOptions
from gpen_fast.stages.need.blend import measured_need
from gpen_fast.types import FaceBatch
from gpen_fast.video.steady import FaceMemory, steadied
from gpen_fast.video.track import TrackedFace

Memories = Mapping[int, FaceMemory]


@torch.inference_mode()
def averaged_faces(
    picture: Restored,
    faces: Sequence[TrackedFace],
    memories: Memories,
    kept: float,
    options: PasteOptions,
    needs: Sequence[Tensor | None] | None = None,
) -> tuple[Restored, dict[int, FaceMemory]]:
    """The frame's faces averaged with the frames before, and what the next frame is averaged with.

    Args:
        picture: The frame after the network.
        faces: Its faces, in its order.
        memories: Track -> what the frame before left.
        kept: The share of the average before it that the frame keeps.
        options: Whether it is measured how much of the restoration a face needs.
        needs: That, for each face, where it is known; None: it is measured.
    """
    if not faces:
        return picture, {}
    if needs is None:
        needs = [None] * len(faces)
        if options.keep_detail or options.keep_colour:
            needs = list(measured_need(picture.frame, picture.crops, picture.restored))
    made = [
        steadied(memories.get(face.number), crop, restored, need, kept)
        for face, crop, restored, need in zip(
            faces, picture.crops.pixels, picture.restored, needs, strict=True
        )
    ]
    averaged = [each.need for each in made if each.need is not None]
    steady = replace(
        picture,
        crops=FaceBatch(torch.stack([each.crop for each in made]), picture.crops.matrices),
        restored=tuple(each.restored for each in made),
        need=torch.stack(averaged) if averaged else None,
        own=torch.stack([each.own for each in made]),
    )
    return steady, {face.number: each.memory for face, each in zip(faces, made, strict=True)}
