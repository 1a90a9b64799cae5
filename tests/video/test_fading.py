"""Faces fade in and out over five frames, but not at cuts and the film's ends."""

from __future__ import annotations

import pytest

from gpen_fast.video.fading import ShownFaces, Visit, fade_now, fade_of, visits_after


def fades(frames: str, number: int = 0) -> list[float]:
    """The fades of a face: 1 is a frame with it, 0 without, | a cut before the next frame."""
    shown, cut = [], False
    for sign in frames:
        if sign == "|":
            cut = True
            continue
        shown.append(ShownFaces(frozenset({number} if sign == "1" else ()), cut))
        cut = False
    visits: dict[int, Visit] = {}
    made = []
    for at, each in enumerate(shown):
        visits = visits_after(visits, each, is_first=at == 0)
        if number in each.numbers:
            made.append(fade_of(number, visits[number], shown[at + 1 : at + 6]))
    return made


UP = [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6]


def test_a_face_that_enters_and_leaves_fades() -> None:
    assert fades("0" + "1" * 12 + "0") == pytest.approx([*UP, 1, 1, *reversed(UP)])
    assert fades("0110") == pytest.approx([1 / 6, 1 / 6])


def test_at_cuts_and_the_film_s_ends_it_is_whole() -> None:
    assert fades("111111") == [1.0] * 6
    assert fades("111|000") == [1.0] * 3
    assert fades("000|111") == [1.0] * 3


def test_a_face_that_comes_back_fades_in_again() -> None:
    assert fades("1" * 7 + "00" + "1" * 7) == pytest.approx([1, 1, *reversed(UP), *UP, 1, 1])


def test_without_the_frames_that_follow_a_face_fades_while_its_track_is_unsure() -> None:
    assert [fade_now(Visit(frames, True), 0) for frames in (0, 2, 5)] == pytest.approx([1 / 6, 0.5, 1.0])
    assert [fade_now(Visit(5, True), missed) for missed in range(7)] == pytest.approx(
        [1, 0.8, 0.6, 0.4, 0.2, 0, 0]
    )
    assert fade_now(Visit(0, False), 0) == 1.0
    assert fade_now(Visit(0, True), 1) == pytest.approx(1 / 6)
