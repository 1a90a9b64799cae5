"""Live frames averaged, faded and pasted, each from those before it alone."""

from __future__ import annotations

import numpy as np
import pytest
from clips import clip_pixels
from live_studio import Studio

from gpen_fast.run.live import finishing
from gpen_fast.run.pipeline import Pipeline


@pytest.fixture
def fades(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The fade of the first face of each frame that is pasted."""
    seen: list[float] = []
    paste = Pipeline.paste

    def spy(self, picture):
        seen.extend(picture.fades[:1])
        return paste(self, picture)

    monkeypatch.setattr(Pipeline, "paste", spy)
    return seen


def test_a_face_is_whole_in_the_first_frame_and_fades_while_its_track_is_unsure(
    steps, passing, fades: list[float]
) -> None:
    studio = Studio(steps)
    for number, missed in enumerate((0, 1, 4, 0)):
        studio.show(passing[number : number + 1], 0, missed)
    assert fades == pytest.approx([1.0, 0.8, 0.2, 1.0])


def test_after_passing_through_faces_fade_in(steps, passing, fades: list[float]) -> None:
    studio = Studio(steps)
    studio.show(passing[:2], 0)
    through = studio.show(passing[2:3], 2)
    assert np.array_equal(through[0].frame.to_ndarray(format="rgb24"), passing[2])
    studio.show(passing[4:10], 0)
    assert fades == pytest.approx([1, 1, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])


def test_at_a_cut_a_face_is_whole_though_the_frame_of_the_cut_was_left_out(steps, fades: list[float]) -> None:
    studio = Studio(steps)
    studio.show(clip_pixels("pan", 40, 180)[:2], 0)
    _, after = studio.restore(clip_pixels("zoom", 20, 180)[10:12], 0)
    studio.finisher.finish(after)
    assert fades == [1.0] * 3


def test_faces_are_averaged_along_their_track(steps, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = clip_pixels("still", 5, 180, noise=8.0)
    pasted: list[np.ndarray] = []
    paste = Pipeline.paste

    def spy(self, picture):
        pasted.append(picture.restored[0].float().numpy())
        return paste(self, picture)

    monkeypatch.setattr(Pipeline, "paste", spy)

    def shaking(temporal: float) -> float:
        Studio(steps, temporal).show(frames, 0)
        return float(np.abs(pasted[-1] - pasted[-2]).mean())

    assert shaking(0.5) < 0.75 * shaking(0.0)


def test_what_another_network_made_is_not_mixed_in(steps, passing, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[set[int]] = []
    averaged = finishing.averaged_faces

    def spy(picture, faces, memories, *rest):
        given.append(set(memories))
        return averaged(picture, faces, memories, *rest)

    monkeypatch.setattr(finishing, "averaged_faces", spy)
    studio = Studio(steps, 0.5)
    studio.show(passing[:2], 0)
    studio.restorer._size = 512
    studio.show(passing[2:4], 0)
    assert given == [set(), {0}, set(), {0}]


def test_what_a_face_needs_is_measured_now_and_then_and_for_a_new_face_at_once(
    steps, passing, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio, measured, shown = Studio(steps, 0.5), [], 0
    averaged = finishing.averaged_faces

    def spy(*given):
        if given[-1] is None:  # what is known of a face's need
            measured.append(shown)
        return averaged(*given)

    monkeypatch.setattr(finishing, "averaged_faces", spy)
    for shown in range(7):
        if shown == 5:
            studio.finisher._memories = {}
        studio.show(passing[shown : shown + 1], 0)
    assert measured == [0, 3, 5]


def test_a_frame_comes_back_in_its_own_samples(steps, passing) -> None:
    (done,) = Studio(steps).show(passing[:1], 0)
    made = done.frame.to_ndarray(format="rgb24")
    assert (done.faces, done.index) == (1, 0)
    changed = (made != passing[0]).any(axis=-1)
    assert 0.001 < changed.mean() < 0.5
