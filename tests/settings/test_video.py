"""The options of `video`."""

from __future__ import annotations

import pytest

from gpen_fast.errors import SettingsError
from gpen_fast.settings import VideoOptions


def test_times_are_seconds_minutes_or_hours() -> None:
    assert [VideoOptions(start=each).start_s for each in ("90.5", "1:30.5", "0:01:30.5", None)] == [
        90.5
    ] * 3 + [None]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"start": "soon"}, "start 'soon': accepted are seconds, such as 90.5"),
        ({"start": "10", "end": "9"}, "end 9: accepted is a time after the start, 10"),
        ({"end": "0"}, "end 0: accepted is a time after the start, 0"),
        ({"crf": -1.0}, "crf -1: accepted is 0"),
    ],
)
def test_what_has_no_meaning_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        VideoOptions(**given)  # type: ignore[arg-type]
