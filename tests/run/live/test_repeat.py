"""A clip that plays again and again, as one source."""

from __future__ import annotations

import numpy as np
from live_ends import ListSource

from gpen_fast.run.live.repeat import repeated

FRAMES = [np.full((16, 16, 3), number, np.uint8) for number in range(3)]


def test_frames_are_numbered_on_and_their_times_go_on() -> None:
    opened: list[ListSource] = []

    def again() -> ListSource:
        opened.append(ListSource(FRAMES))
        return opened[-1]

    source = repeated(again, 99.0)
    seen = []
    for arrival in source:
        seen.append((arrival.decoded.index, arrival.decoded.pts))
        if len(seen) == 8:
            source.close()
    assert seen == [(number, number) for number in range(8)]
    assert len(opened) == 3
    assert all(each.closed for each in opened)


def test_a_clip_that_is_lost_or_empty_is_not_played_again() -> None:
    lost = repeated(lambda: ListSource(FRAMES, lost="cut off."), 99.0)
    assert len(list(lost)) == 3
    assert lost.lost == "cut off."
    silent = repeated(lambda: ListSource(FRAMES, closed=True), 99.0)
    assert list(silent) == []


def test_without_a_time_it_plays_once() -> None:
    assert len(list(repeated(lambda: ListSource(FRAMES), None))) == 3
