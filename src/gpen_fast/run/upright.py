"""`--upright`: turns a picture by quarters where all its faces lie that way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from gpen_fast.detections.file_format import Found
from gpen_fast.image.turn import turn_face, turn_frame
from gpen_fast.run.job import Loaded
from gpen_fast.types import Face

_TOLD = {
    1: "The picture lay on its side: it is turned by 90 degrees, counter-clockwise.",
    2: "The picture was upside down: it is turned by 180 degrees.",
    3: "The picture lay on its side: it is turned by 90 degrees, clockwise.",
}


def turn_upright(picture: Loaded, found: Found) -> tuple[Loaded, Found]:
    """Turns a picture and its faces upright.

    Args:
        picture: The picture as it was read.
        found: Every face in it.

    Returns:
        Both turned, and a note on the picture; unchanged where the faces are upright, where they disagree, and where
        there are none.
    """
    quarters = quarters_to_upright(found.faces)
    if not quarters:
        return picture, found
    frame = picture.frame
    faces = tuple(turn_face(face, quarters, frame.width, frame.height) for face in found.faces)
    turned = replace(picture, frame=turn_frame(frame, quarters)).noted(_TOLD[quarters])
    return turned, replace(found, faces=faces)


def quarters_to_upright(faces: Sequence[Face]) -> int:
    """Quarters of a full turn, counter-clockwise, that put every face upright; 0 where the faces disagree."""
    wanted = {round(_roll(face) / 90) % 4 for face in faces}
    return wanted.pop() if len(wanted) == 1 else 0


def _roll(face: Face) -> float:
    """Degrees by which a face is turned clockwise: the mean direction of the lines through its eyes and its mouth."""
    if face.landmarks is None:
        return face.roll
    left_eye, right_eye, _, left_mouth, right_mouth = face.landmarks
    across, down = right_eye - left_eye + right_mouth - left_mouth
    return math.degrees(math.atan2(down, across))
