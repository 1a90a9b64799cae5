"""Live frames through the network, or with its last change."""

from __future__ import annotations

import torch
from clips import clip_pixels
from live_studio import Studio

from gpen_fast.run.live.restoring import carried


def test_every_second_frame_carries_the_change_of_the_one_before(steps, passing) -> None:
    studio = Studio(steps)
    made = studio.restore(passing[:5], 1)
    assert studio.calls == 3
    assert [each.network > 0 for each in made] == [True, False, True, False, True]
    before, after = made[0].picture, made[1].picture
    change = before.restored[0].short() - before.crops.pixels[0].short()
    wanted = (after.crops.pixels[0].short() + change).clamp(0, 255)
    assert torch.equal(after.restored[0].short(), wanted)
    assert not torch.equal(after.crops.pixels, before.crops.pixels)


def test_a_new_face_is_restored_at_once_though_the_network_would_rest(steps) -> None:
    pan, other = clip_pixels("pan", 40, 180)[:1], clip_pixels("zoom", 20, 180)[10:12]
    studio = Studio(steps)
    studio.restore(pan, 1)
    (made, _) = studio.restore(other, 1)  # a cut: another face
    assert studio.calls == 2
    assert (made.cuts, made.looks) == (1, 2)


def test_at_the_last_step_a_frame_passes_through(steps, passing) -> None:
    studio = Studio(steps)
    studio.restore(passing[:1], 1)
    assert [each.picture for each in studio.restore(passing[1:3], 2)] == [None, None]
    studio.restore(passing[3:4], 1)
    assert studio.calls == 2  # nothing was carried over the frames between


def test_another_network_is_another_look(steps, passing) -> None:
    studio = Studio(steps)
    assert [each.looks for each in studio.restore(passing[:2], 0)] == [1, 1]
    studio.restorer._size = 512  # the frames before had a network of this size
    assert [each.looks for each in studio.restore(passing[2:4], 0)] == [2, 2]


def test_what_is_carried_stays_within_the_samples(steps, passing) -> None:
    picture = Studio(steps).restore(passing[:1], 0)[0].picture
    change = torch.full_like(picture.crops.pixels[0], 1).short() * 300
    made = carried(picture, [change])
    assert int(made.restored[0].min()) == 255
    assert made.restored[0].dtype == torch.uint8
