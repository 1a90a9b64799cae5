"""How a face comes and goes: over five frames, unless a scene begins or ends there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

FADE_FRAMES = 5
"""Frames in which a face fades in or out."""


class ShownFaces(NamedTuple):
    """Which faces a frame shows."""

    numbers: frozenset[int]
    """Their tracks."""
    is_cut: bool
    """Whether a new scene begins with it."""


class Visit(NamedTuple):
    """How long a face is shown without a break."""

    frames: int
    """Frames before the present one."""
    fades_in: bool
    """False where it was there when its scene began."""


def visits_after(visits: dict[int, Visit], shown: ShownFaces, *, is_first: bool) -> dict[int, Visit]:
    """The visits of the faces of a frame, from those of the frame before.

    Args:
        visits: Track -> its visit, in the frame before.
        shown: The frame's faces.
        is_first: The frame is the film's first.
    """
    begins = is_first or shown.is_cut
    new = Visit(0, not begins)
    return {
        number: visits[number]._replace(frames=min(visits[number].frames + 1, FADE_FRAMES))
        if number in visits
        else new
        for number in shown.numbers
    }


def fade_of(number: int, visit: Visit, later: Sequence[ShownFaces]) -> float:
    """How much of a face is shown, above 0 and up to 1.

    Args:
        number: Its track.
        visit: Its visit in the frame.
        later: The frames that follow, up to FADE_FRAMES of them; fewer at the film's end.
    """
    share = (visit.frames + 1) / (FADE_FRAMES + 1) if visit.fades_in else 1.0
    for ahead, shown in enumerate(later[:FADE_FRAMES]):
        if shown.is_cut:
            break
        if number not in shown.numbers:
            return min(share, (ahead + 1) / (FADE_FRAMES + 1))
    return min(share, 1.0)


def fade_now(visit: Visit, missed: int) -> float:
    """How much of a face is shown where the frames that follow are not known, 0 to 1.

    Args:
        visit: Its visit in the frame.
        missed: Frames for which its track has gone on without being sure: it fades while they become more.
    """
    return min(
        (visit.frames + 1) / (FADE_FRAMES + 1) if visit.fades_in else 1.0, max(0.0, 1 - missed / FADE_FRAMES)
    )
