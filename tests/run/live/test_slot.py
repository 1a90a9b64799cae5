"""A slot of one: the latest item wins."""

from __future__ import annotations

import threading

from gpen_fast.run.live.slot import LatestSlot


def test_the_latest_item_wins_and_the_others_are_counted() -> None:
    slot: LatestSlot[int] = LatestSlot()
    for number in range(5):
        slot.put(number)
    assert slot.dropped == 4
    assert next(iter(slot)) == 4
    slot.put(5)
    assert slot.dropped == 4


def test_what_waits_when_it_is_closed_is_still_given_and_nothing_after_it() -> None:
    slot: LatestSlot[str] = LatestSlot()
    slot.put("last")
    slot.close()
    slot.put("late")
    assert list(slot) == ["last"]
    assert slot.dropped == 0


def test_a_thread_waits_for_an_item_and_for_room() -> None:
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int] = []
    thread = threading.Thread(target=lambda: taken.extend(slot))
    thread.start()
    for number in range(20):
        assert slot.wait_empty()
        slot.put(number)
    assert slot.wait_empty()
    slot.close()
    thread.join(5)
    assert taken == list(range(20))
    assert not slot.wait_empty()
