"""Clips made of the portraits in examples/ under known motion: clean frames and landmarks of every frame are known.

A clip is a function of time, so that the same call gives the same pixels. Damage (blur, noise of each frame, H.264 at a
low rate) is made apart, from the clean frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from expressions import with_expression
from helpers import EXAMPLES
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]
Placing = Callable[[float], tuple[NDArray[np.float64], float] | None]


@dataclass(frozen=True)
class Portrait:
    """A picture of one face, and where its eyes, nose and corners of the mouth are."""

    name: str
    points: tuple[tuple[float, float], ...]

    @property
    def eyes(self) -> float:
        return math.dist(*self.points[:2])


ASTRONAUT = Portrait(
    "astronaut.png", ((203.4, 101.2), (246.3, 103.7), (224.3, 128.5), (201.9, 138.9), (243.5, 141.9))
)
HOPPER = Portrait(
    "grace_hopper.jpg", ((222.9, 191.6), (304.6, 188.4), (267.3, 240.1), (230.5, 269.4), (304.3, 267.5))
)


@dataclass(frozen=True)
class Actor:
    """A portrait that moves: `place` gives its matrix and opacity at a time, or None where it is not in the picture."""

    portrait: Portrait
    place: Placing
    expression: Callable[[float], tuple[float, float]] | None = None
    """How far the mouth is open and the eyes are shut at a time, as `with_expression` takes it."""


@dataclass(frozen=True)
class ClipFrame:
    """One frame of a clip, undamaged."""

    pixels: Pixels
    """(H,W,3) RGB."""
    landmarks: dict[str, Points]
    """Portrait -> (5,2) pixels, of the faces whose landmarks all lie in the frame."""
    places: dict[str, Points]
    """The same of every face that is shown, whole or in part, faint or not."""
    owner: NDArray[np.int8]
    """(H,W): the place in `places` of the actor that each pixel shows most of; -1: the ground."""


@dataclass(frozen=True)
class Clip:
    """Actors before a quiet ground."""

    actors: tuple[Actor, ...]
    seconds: float = 2.0

    def frames(self, count: int, height: int = 360) -> Iterator[ClipFrame]:
        """Renders `count` frames of 16:9, evenly over the clip's time."""
        width = round(height * 16 / 9 / 2) * 2
        for number in range(count):
            yield self._frame(number / max(1, count - 1), width, height)

    def _frame(self, at: float, width: int, height: int) -> ClipFrame:
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        canvas = np.stack([70 + 50 * columns / width, 80 + 40 * rows / height, 90 + 0 * rows], axis=-1)
        owner = np.full((height, width), -1, np.int8)
        points: dict[str, Points] = {}
        places: dict[str, Points] = {}
        for actor in self.actors:
            if (placed := actor.place(at)) is None:
                continue
            unit, opacity = placed
            matrix = unit * height
            picture = _picture(actor.portrait.name)
            if actor.expression is not None:
                picture = with_expression(picture, actor.portrait.points, *actor.expression(at))
            warped = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_AREA)
            mask = cv2.warpAffine(_mask(actor.portrait.name), matrix, (width, height))[..., None] * opacity
            canvas = canvas * (1 - mask) + warped * mask
            owner[mask[..., 0] > 0.5] = len(places)
            found = np.array(actor.portrait.points) @ matrix[:, :2].T + matrix[:, 2]
            places[actor.portrait.name] = found
            if opacity == 1 and (found >= 0).all() and (found < (width, height)).all():
                points[actor.portrait.name] = found
        return ClipFrame(np.clip(np.rint(canvas), 0, 255).astype(np.uint8), points, places, owner)


@cache
def _picture(name: str) -> NDArray[np.float32]:
    picture = cv2.imread(str(EXAMPLES / name), cv2.IMREAD_COLOR)
    assert picture is not None, name
    return picture[..., ::-1].astype(np.float32)


@cache
def _mask(name: str) -> NDArray[np.float32]:
    height, width = _picture(name).shape[:2]
    mask = np.zeros((height, width), np.float32)
    mask[24:-24, 24:-24] = 1
    return cv2.GaussianBlur(mask, (0, 0), 8)


def placed(
    portrait: Portrait, x: float, y: float, eyes: float = 0.15, roll: float = 0.0
) -> NDArray[np.float64]:
    """The matrix, in units of the frame's height, that puts the middle between the eyes at x, y."""
    scale, turn = eyes / portrait.eyes, math.radians(roll)
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    middle = np.mean(portrait.points[:2], axis=0)
    return np.column_stack([linear, np.array([x, y]) - linear @ middle])


def moving(portrait: Portrait, **path: Callable[[float], float]) -> Actor:
    shown = path.pop("shown", lambda at: 1.0)

    def place(at: float) -> tuple[NDArray[np.float64], float] | None:
        opacity = shown(at)
        given = {"x": 0.9, "y": 0.42} | {name: value(at) for name, value in path.items()}
        return (placed(portrait, **given), opacity) if opacity > 0 else None

    return Actor(portrait, place)


def _speaks(at: float) -> tuple[float, float]:
    """A mouth that opens three times a second, and eyes that blink twice, each for a sixth of one."""
    seconds = 2.4 * at
    blinks = [abs(seconds - when) / 0.08 for when in (0.8, 1.8)]
    return 0.45 * max(0.0, math.sin(2 * math.pi * 3 * seconds)), max(0.0, 1 - min(blinks))


CLIPS = {
    "still": Clip((moving(HOPPER),)),
    "pan": Clip((moving(HOPPER, x=lambda at: 0.6 + 0.6 * at),)),
    "zoom": Clip((moving(ASTRONAUT, eyes=lambda at: 0.08 + 0.12 * at),)),
    "roll": Clip((moving(HOPPER, roll=lambda at: 20 * math.sin(2 * math.pi * at)),)),
    "cut": Clip(
        (
            moving(HOPPER, shown=lambda at: float(at < 0.5)),
            moving(ASTRONAUT, x=lambda at: 0.6, shown=lambda at: float(at >= 0.5)),
        )
    ),
    "crossing": Clip(
        (
            moving(HOPPER, x=lambda at: 0.4 + at, y=lambda at: 0.35, eyes=lambda at: 0.1),
            moving(ASTRONAUT, x=lambda at: 1.4 - at, y=lambda at: 0.6, eyes=lambda at: 0.1),
        )
    ),
    "fade": Clip((moving(HOPPER, shown=lambda at: min(1.0, 2 * at)),)),
    "talking": Clip(
        (
            replace(
                moving(HOPPER, x=lambda at: 0.85 + 0.1 * at, roll=lambda at: 4 * math.sin(5 * at)),
                expression=_speaks,
            ),
        )
    ),
    "leaving": Clip((moving(HOPPER, x=lambda at: 0.9 + 1.4 * at),)),
}


def damaged(pixels: Pixels, number: int, *, blur: float = 0.0, noise: float = 0.0) -> Pixels:
    """A frame with blur of that sigma in pixels, then noise of that deviation in grey levels, its own in each frame."""
    made = pixels.astype(np.float32)
    if blur:
        made = cv2.GaussianBlur(made, (0, 0), blur)
    if noise:
        made = made + np.random.default_rng(number).normal(0, noise, made.shape)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def clip_pixels(
    name: str, count: int, height: int = 360, *, blur: float = 0.0, noise: float = 0.0
) -> list[Pixels]:
    """The frames of a clip, damaged."""
    frames = CLIPS[name].frames(count, height)
    return [damaged(frame.pixels, at, blur=blur, noise=noise) for at, frame in enumerate(frames)]


def write_clip(path: Path, frames: list[Pixels], **options: object) -> Path:
    """Writes frames as `videos.write_video` does; by default H.264 at a low rate."""
    from videos import Made, write_video

    return write_video(path, frames, Made(**({"options": {"crf": "32"}} | options)))  # type: ignore[arg-type]
